/// A root in flight, and what has been recorded of its payloads so far.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

#include "engine/lane.hpp"
#include "engine/root_results.hpp"
#include "support/digest.hpp"

namespace stoq::engine {

struct Batch;

/// SHA-256 cut to 128 bits, and whether its producer makes rules treat it apart.
struct ContentKey {
  std::array<std::byte, 16> digest{};
  std::uint32_t producer = 0;
  bool operator==(const ContentKey&) const = default;
};
struct ContentKeyHash {
  std::size_t operator()(const ContentKey& key) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, key.digest.data(), sizeof hash);
    return hash ^ key.producer;
  }
};

/// Which contents of a root were met. Most roots hold one, their own, for which no table is made.
class Claims {
 public:
  /// The number of this content; `next` if it was not met before.
  [[nodiscard]] ContentId claim(const ContentKey& key, ContentId next) {
    if (first_ == no_content) {
      first_key_ = key;
      first_ = next;
    }
    if (key == first_key_) return first_;
    return others_.try_emplace(key, next).first->second;
  }
  void clear() noexcept {
    first_ = no_content;
    others_.clear();
  }

 private:
  ContentKey first_key_;
  ContentId first_ = no_content;
  std::unordered_map<ContentKey, ContentId, ContentKeyHash> others_;
};

struct RootState {
  Root root;
  Batch* batch = nullptr;
  std::uint64_t number = 0;  ///< its place in the source's order
  Bytes bytes;               ///< loaded content
  Status status = Status::ok;
  std::string message, message_kind;

  std::atomic<std::uint32_t> pending{1};  ///< jobs under way; the one that ends it assembles
  std::atomic<std::uint64_t> derived_bytes{0}, derived_payloads{0};
  std::atomic<const char*> cut{nullptr};  ///< why expansion stopped, for good
  std::atomic<bool> redo{false};          ///< a root-wide limit fell in a parallel pass
  std::atomic<bool> spread{false};        ///< other threads took part: order is not given
  std::atomic<bool> reads_meta{false};    ///< some plugin asked for root.meta
  bool canonical = false;                 ///< second pass: serial, in tree order
  Clock::time_point started{};

  std::mutex mutex;  ///< guards the two below
  Claims claims;
  /// Its own, or an equal root's.
  std::shared_ptr<RootResults> results = std::make_shared<RootResults>();
  bool repeats = false;      ///< `results` are an equal root's
  bool repeatable = true;    ///< nothing in them is owed to the moment (time, memory, disk)
  support::Sha256 sha256{};  ///< of its bytes, once they are known
  std::size_t size = 0;      ///< of its bytes

  [[nodiscard]] Tlp tlp() const noexcept { return root.tlp.value_or(Tlp::white); }

  /// Whether a limit cut its bytes while the source made them.
  [[nodiscard]] bool cut_by_source() const noexcept { return root.status == Status::partial; }

  std::string lines;  ///< rendered results of a small root
  std::size_t records = 0;

  /// What it is called without its folders.
  [[nodiscard]] std::string_view name() const noexcept {
    return std::string_view(root.path).substr(root.path.find_last_of('/') + 1);
  }

  /// Notes what went wrong with the root itself; the first word stands.
  void fail(Status worse, std::string_view kind, std::string_view why) {
    const std::lock_guard lock(mutex);
    if (status >= worse) return;
    status = worse;
    message_kind = kind;
    message = why;
  }

  void forget() {
    claims.clear();
    results = std::make_shared<RootResults>();
    repeats = false;
    repeatable = true;
    derived_bytes = 0;
    derived_payloads = 0;
    cut = nullptr;
    redo = false;
    spread = false;
    reads_meta = false;
  }
};

/// Roots that travel together, so that a message costs nothing beside a small file.
struct Batch {
  std::uint64_t sequence = 0;
  std::vector<std::unique_ptr<RootState>> roots;
  std::atomic<std::size_t> left{0};  ///< roots not assembled yet
  bool flush = false;  ///< once it is saved, others are to see all that was saved so far
};

}  // namespace stoq::engine
