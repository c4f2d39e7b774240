#include "engine/range.hpp"

#include <algorithm>
#include <new>

namespace stoq::engine {
namespace {

class RangeJob final : public Job {
 public:
  RangeJob(std::shared_ptr<Range> range, std::size_t low, std::size_t high)
      : Job(range->root), range_(std::move(range)), low_(low), high_(high) {}
  void run(Lane& lane) override {
    const PayloadSpell part(lane.account.get(), root, range_->content, PayloadSpell::Part{});
    CallSpell spell(lane.account.get(), range_->plugin, 0, CallSpell::Extent::part);
    CallTimer timer;
    try {
      run_range(range_, lane, timer, low_, high_);
    } catch (const LimitReached&) {
      lane.counters[range_->plugin].errors += 1;  // what it cut stands in the range's counts
    }
    spell.finish();
    lane.counters[range_->plugin].time += timer.own();
  }

 private:
  std::shared_ptr<Range> range_;
  std::size_t low_, high_;
};

/// The children of one member: at most one, at the member's own place.
class MemberSink final : public SinkBase {
 public:
  MemberSink(Range& range, Lane& lane, CallTimer& timer, std::size_t index) noexcept
      : SinkBase(range.scan, lane, range.root,
                 {range.plugin, range.save, range.content, range.depth, range.name}, timer),
        range_(range),
        index_(index) {}

  void each(std::size_t, Member) override { throw Error("each() inside each()"); }
  void declare(std::uint64_t) override {}
  [[nodiscard]] bool settled() const noexcept { return settled_; }

 protected:
  bool next(std::uint32_t& ordinal) override {
    if (settled_) throw Error("a member brought out more than one child");
    ordinal = range_.base + static_cast<std::uint32_t>(index_);
    return true;
  }
  void charge(std::uint64_t bytes) override {
    const auto total = range_.out_bytes->fetch_add(bytes) + bytes;
    if (total <= range_.most_bytes) return;
    // Which member crosses the line depends on the schedule unless members run in order.
    if (!root_.canonical) {
      root_.redo = true;
      throw LimitReached{"redo"};
    }
    throw LimitReached{"ratio"};
  }
  void count_emitted() override {
    settled_ = true;
    const std::lock_guard lock(range_.mutex);
    ++range_.counts.emitted;
  }
  void count_dropped(std::string_view limit, std::uint64_t bytes) override {
    settled_ = true;
    const std::lock_guard lock(range_.mutex);
    range_.counts.drop(limit, 1, bytes);
  }
  void deliver(Item item, bool) override {
    lane_.count_child(call_.plugin, item.bytes.size());
    run_here(std::move(item));
  }

 private:
  Range& range_;
  std::size_t index_;
  bool settled_ = false;
};

void run_member(Range& range, Lane& lane, CallTimer& timer, std::size_t index) {
  MemberSink sink(range, lane, timer, index);
  Outcome outcome;
  try {
    range.member(index, sink);
  } catch (const Encrypted& error) {
    outcome = {Status::encrypted, {}, error.what()};
  } catch (const Unsupported& error) {
    outcome = {Status::unsupported, {}, error.what()};
  } catch (const MalformedInput& error) {
    outcome = {Status::corrupt, {}, error.what()};
  } catch (const IoError& error) {
    outcome = {Status::io_error, {}, error.what()};
  } catch (const std::bad_alloc&) {
    outcome = {Status::out_of_memory, {}, "memory for this child could not be had"};
  } catch (const LimitReached&) {
    throw;
  } catch (const std::exception& error) {
    outcome = {Status::crash, {}, error.what()};
  } catch (...) {
    outcome = {Status::crash, {}, "threw something that is no exception"};
  }
  if (sink.settled()) return;
  if (outcome.status == Status::ok)
    outcome = {Status::corrupt, {}, "the plugin brought out nothing"};
  sink.lost({}, outcome.status, outcome.message);
}

void finish(Range& range) {
  std::string packed;
  const std::lock_guard lock(range.root.mutex);
  auto& content = range.root.results->contents[range.content];
  range.counts.previous = content.counts;
  pack(packed, range.counts);
  content.counts = range.root.results->spool.append(packed);
}

}  // namespace

void run_range(const std::shared_ptr<Range>& range, Lane& lane, CallTimer& timer, std::size_t low,
               std::size_t high) {
  const auto stage = stage_of(range->scan.plugins().plugins[range->plugin].category);
  std::size_t done = 0;
  const char* stopped = nullptr;
  while (low < high && stopped == nullptr) {
    if (high - low > 1 && range->scan.may_send(range->root)) {
      if (lane.account) lane.account->parted();
      const auto middle = low + (high - low) / 2;
      range->scan.handover().send(stage, stage, std::make_shared<RangeJob>(range, middle, high));
      high = middle;
      continue;
    }
    try {
      range->scan.check(range->root, timer);
      run_member(*range, lane, timer, low);
    } catch (const LimitReached& reached) {
      stopped = reached.limit;
    }
    ++low;
    ++done;
  }
  if (low < high) {
    const std::lock_guard lock(range->mutex);
    range->counts.drop(stopped, high - low, 0);
    done += high - low;
  }
  if (range->left.fetch_sub(done) == done) {
    // A member that a limit stopped before it settled is dropped too, so that the sum holds.
    auto& counts = range->counts;
    const auto settled = counts.emitted + counts.dropped_count();
    if (counts.declared > settled) {
      counts.drop(stopped != nullptr ? stopped : "unread", counts.declared - settled, 0);
    }
    finish(*range);
  }
  if (stopped != nullptr) throw LimitReached{stopped};
}

}  // namespace stoq::engine
