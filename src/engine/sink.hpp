/// Where a plugin's children arrive: the limits are charged here and nowhere else.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "engine/scan.hpp"

namespace stoq::engine {

/// All calls on one payload, together: what limits of one payload are counted against.
class Expansion {
 public:
  Expansion(const Limits& limits, std::uint64_t payload_size);

  /// Derived so far; shared with the ranges, parts of which may still run elsewhere. Most payloads
  /// hold nothing, and need none.
  [[nodiscard]] const std::shared_ptr<std::atomic<std::uint64_t>>& out_bytes() {
    if (!out_bytes_) out_bytes_ = std::make_shared<std::atomic<std::uint64_t>>(0);
    return out_bytes_;
  }
  std::uint64_t most_bytes = 0;  ///< what max_ratio allows
  std::uint64_t in_ranges = 0;   ///< children that ranges may bring out
  std::uint32_t next_ordinal = 0;
  CountsEntry counts;

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> out_bytes_;
};

/// Several small children of one payload in one message.
struct Slab {
  std::vector<Item> items;
  std::size_t bytes = 0;
};

/// What Sink and MemberSink share: making an item and sending it or running it here.
class SinkBase : public Children {
 public:
  [[nodiscard]] std::size_t max_child_bytes() const noexcept override {
    return scan_.limits().max_child_bytes;
  }
  void emit(Bytes bytes, ChildInfo info) override;
  bool produce(ChildInfo info, std::uint64_t expected, Fill fill) override;
  void lost(ChildInfo info, Status status, std::string_view message) override;

 protected:
  struct Call {
    std::size_t plugin = 0;
    bool save = false;
    ContentId content = 0;    ///< of the payload
    std::uint32_t depth = 0;  ///< of the payload
    std::string_view name;    ///< of the payload
  };
  SinkBase(Scan& scan, Lane& lane, RootState& root, Call call, CallTimer& timer) noexcept
      : scan_(scan), lane_(lane), root_(root), call_(call), timer_(timer) {}

  /// The next child's place; nothing when max_children is spent (and counts it as dropped).
  virtual bool next(std::uint32_t& ordinal) = 0;
  virtual void charge(std::uint64_t bytes) = 0;
  virtual void count_emitted() = 0;
  virtual void count_dropped(std::string_view limit, std::uint64_t bytes) = 0;
  virtual void deliver(Item item, bool may_travel) = 0;

  [[nodiscard]] Item item(Bytes bytes, ChildInfo info, std::uint32_t ordinal) const;
  /// Scans a child on this thread, its time kept out of the plugin's.
  void run_here(Item item);

  Scan& scan_;
  Lane& lane_;
  RootState& root_;
  Call call_;
  CallTimer& timer_;
};

/// Children of one call, in the order in which the plugin emits them.
class Sink final : public SinkBase {
 public:
  Sink(Scan& scan, Lane& lane, RootState& root, Call call, CallTimer& timer, Expansion& expansion,
       const Bytes& payload) noexcept
      : SinkBase(scan, lane, root, call, timer), expansion_(expansion), payload_(payload) {}

  void each(std::size_t count, Member member) override;
  void declare(std::uint64_t count) override { declared_ += count; }
  /// Sends what is still held back, and settles the count of what was declared. `stopped_by`: the
  /// limit or fault that ended the call, empty when it ended by itself.
  void finish(std::string_view stopped_by);

 protected:
  bool next(std::uint32_t& ordinal) override;
  void charge(std::uint64_t bytes) override;
  void count_emitted() override;
  void count_dropped(std::string_view limit, std::uint64_t bytes) override;
  void deliver(Item item, bool may_travel) override;

 private:
  void send_slab();
  Expansion& expansion_;
  const Bytes& payload_;
  Slab slab_;
  std::uint64_t declared_ = 0, settled_ = 0;
};

}  // namespace stoq::engine
