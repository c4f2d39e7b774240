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
#include "engine/spool.hpp"
#include "support/digest.hpp"

namespace stoq::engine {

struct Batch;

/// Numbers the different contents met under one root; 0 is the root's own.
using ContentId = std::uint32_t;
inline constexpr ContentId no_content = UINT32_MAX;
inline constexpr std::uint64_t no_entry = UINT64_MAX;

/// One place where a payload stands: the `ordinal`-th child of the content `parent`.
struct Occurrence {
  ContentId parent = no_content;
  std::uint32_t ordinal = 0;
  ContentId content = no_content;  ///< none when its bytes could not be had
  std::uint64_t entry = no_entry;
};

/// What the first scan of a content left: places of entries in the spool.
struct Content {
  std::uint64_t expansion = no_entry, workers = no_entry, counts = no_entry;
  std::uint32_t claimed_by = 0;  ///< number of the occurrence that was scanned
  std::uint16_t depth = 0;       ///< where it was scanned
  bool expandable = false;       ///< some rule asked for a plugin
  bool reads_name = false;       ///< one of these plugins may read the payload's name or depth
};

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
  bool canonical = false;                 ///< second pass: serial, in tree order
  Clock::time_point started{};

  std::mutex mutex;  ///< guards the five below
  std::unordered_map<ContentKey, ContentId, ContentKeyHash> claims;
  std::vector<Occurrence> occurrences;
  std::vector<Content> contents;
  Spool spool{std::size_t{64} << 10};

  std::string lines;  ///< rendered results of a small root
  std::size_t records = 0;

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
    occurrences.clear();
    contents.clear();
    spool.clear();
    derived_bytes = 0;
    derived_payloads = 0;
    cut = nullptr;
    redo = false;
    spread = false;
  }
};

/// Roots that travel together, so that a message costs nothing beside a small file.
struct Batch {
  std::uint64_t sequence = 0;
  std::vector<std::unique_ptr<RootState>> roots;
  std::atomic<std::size_t> left{0};  ///< roots not assembled yet
};

}  // namespace stoq::engine
