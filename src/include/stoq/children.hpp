/// Where decoders, extractors and carvers put what they bring out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "stoq/buffer.hpp"
#include "stoq/bytes.hpp"
#include "stoq/error.hpp"
#include "stoq/function_ref.hpp"
#include "stoq/value.hpp"

namespace stoq {

/// What a plugin says of a child.
struct ChildInfo {
  /// As the container claims it: raw bytes, may be hostile. Empty: as Plugin::child_name() says.
  std::string name = {};
  std::optional<std::uint64_t> offset = {};  ///< where in the parent it begins, in bytes
  bool encrypted = false;                    ///< it was protected by a password
  bool keep_prefix = false;  ///< when a limit cuts it, scan what came (status partial), do not drop
  Value meta = {};           ///< anything else, an object; stands in the record's `origin`
};

/// Receives what a decoder, extractor or carver brings out. Every child declared or handed over
/// ends in exactly one record or one count of what was dropped. All methods throw LimitReached once
/// the limits are spent: let it pass. A child may be scanned before the call returns.
class Children {
 public:
  /// Writes one child's bytes. May throw MalformedInput, Encrypted, Unsupported: the child's record
  /// says so, what was committed before is scanned, and the caller goes on with the next.
  using Fill = FunctionRef<void(Buffer&)>;
  /// Brings out member `index`: emits, produces or loses at most one child.
  using Member = std::function<void(std::size_t index, Children& member)>;

  Children() = default;
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;
  virtual ~Children() = default;

  /// Hands over bytes that exist: a slice of the payload (free of charge), or a small copy. For
  /// anything inflated use produce(), which is charged as the bytes come.
  virtual void emit(Bytes bytes, ChildInfo info) = 0;

  /// Makes a child by calling `fill` with a pooled buffer. `expected` is the claimed size (0 when
  /// unknown), used as a hint only. False when the child was dropped by its own limit
  /// (`max_child_bytes`) or failed: go on with the next.
  virtual bool produce(ChildInfo info, std::uint64_t expected, Fill fill) = 0;

  /// Calls `member` for 0 … count-1, each at most once, in order on this thread or in parts on idle
  /// ones: for containers with random access. `member` must be thread-safe; it is given its own
  /// Children. Returns when all are done or sent away, so `member` must own (by value or shared
  /// pointer) everything it uses beyond the payload: it is copied if it travels.
  virtual void each(std::size_t count, Member member) = 0;

  /// Records a child whose bytes cannot be had, with its reason.
  virtual void lost(ChildInfo info, Status status, std::string_view message) = 0;

  /// Says that the container claims `count` children (each() does so itself): what is neither
  /// emitted nor lost by the end counts as dropped. Optional.
  virtual void declare(std::uint64_t count) = 0;

  /// No child may be larger, in bytes.
  [[nodiscard]] virtual std::size_t max_child_bytes() const noexcept = 0;
};

}  // namespace stoq
