/// What a plugin is called with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stoq/bytes.hpp"
#include "stoq/tlp.hpp"
#include "stoq/value.hpp"

namespace stoq {

/// Digests of a payload's bytes that were made anyway: whoever needs another makes it himself.
struct KnownDigests {
  std::optional<std::array<std::byte, 32>> sha256;  ///< what the run scans always has it
  std::optional<std::array<std::byte, 16>> md5;     ///< this and the others with --hash
  std::optional<std::array<std::byte, 20>> sha1;
  std::optional<std::array<std::byte, 64>> sha512;
};

/// What is scanned: bytes, where they came from, what is known of them.
struct Payload {
  Bytes bytes;                ///< the content; valid for the call, slices keep it alive
  std::string name;           ///< file or member name as found: raw bytes, never a path to open
  std::string_view type;      ///< what the dispatch rules call it ("zip", "pe"); empty if nothing
  std::uint32_t depth = 0;    ///< 0 for what a source delivered
  Tlp tlp = Tlp::white;       ///< its root's
  KnownDigests digests = {};  ///< of `bytes`

  [[nodiscard]] ByteView view() const noexcept { return bytes.view(); }
};

/// What goes with one call besides the payload: stoQ's **kwargs.
class Request {
 public:
  using StopQuery = bool (*)(const void* context) noexcept;
  using MetaQuery = const Value& (*)(const void* context) noexcept;

  Request() = default;
  /// Both queries are asked with `context`; either may be null.
  Request(const Value& args, StopQuery stop, const void* context,
          MetaQuery meta_query = nullptr) noexcept
      : args_(&args), stop_(stop), meta_(meta_query), context_(context) {}

  /// The dispatch rule's metas (numbers, booleans and text as in the rule), its name as `rule`, and
  /// as `offset` where its first string matched.
  [[nodiscard]] const Value& args() const noexcept { return args_ != nullptr ? *args_ : none(); }
  /// What the source (a message, say) and --metadata say of the file that the payload is, or came
  /// out of: an object, which the file's record has as `stoq.meta`; null when they say nothing.
  /// Valid for the call. Equal files of which other things are said share results only where no
  /// plugin asked: do so where you need it.
  [[nodiscard]] const Value& meta() const noexcept {
    return meta_ != nullptr ? meta_(context_) : none();
  }
  /// True once the run ends or the call's time is spent: long loops look at it and return.
  [[nodiscard]] bool stop_requested() const noexcept { return stop_ != nullptr && stop_(context_); }

 private:
  [[nodiscard]] static const Value& none() noexcept {
    static const Value null;
    return null;
  }

  const Value* args_ = nullptr;
  StopQuery stop_ = nullptr;
  MetaQuery meta_ = nullptr;
  const void* context_ = nullptr;
};

}  // namespace stoq
