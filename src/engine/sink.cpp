#include "engine/sink.hpp"

#include <algorithm>
#include <new>

#include "engine/child_names.hpp"
#include "engine/range.hpp"

namespace stoq::engine {
namespace {

constexpr std::size_t small_child = std::size_t{64} << 10;
constexpr std::size_t slab_items = 64;
constexpr std::size_t slab_bytes = std::size_t{256} << 10;

class SlabJob final : public Job {
 public:
  SlabJob(Scan& scan, RootState& owner, Slab slab)
      : Job(owner), scan_(scan), slab_(std::move(slab)) {}
  void run(Lane& lane) override {
    std::vector<ByteView> payloads;
    for (const auto& item : slab_.items) payloads.push_back(item.bytes.view());
    const auto digests = lane.digests(payloads);
    for (std::size_t i = 0; i < slab_.items.size(); ++i) {
      if (!digests.empty()) slab_.items[i].digest = &digests[i];
      scan_.payload(lane, root, std::move(slab_.items[i]));
    }
  }
  [[nodiscard]] std::uint64_t payloads() const noexcept override { return slab_.items.size(); }

 private:
  Scan& scan_;
  Slab slab_;
};

}  // namespace

Expansion::Expansion(const Limits& limits, std::uint64_t payload_size) {
  const auto ratio = limits.max_ratio;
  const auto by_ratio =
      ratio != 0 && payload_size > UINT64_MAX / ratio ? UINT64_MAX : payload_size * ratio;
  most_bytes = std::max(limits.max_ratio_floor, by_ratio);
}

// --- SinkBase ---------------------------------------------------------------------------------

Item SinkBase::item(Bytes bytes, ChildInfo info, std::uint32_t ordinal) const {
  Item made;
  made.bytes = std::move(bytes);
  made.info = std::move(info);
  if (made.info.name.empty()) {
    made.info.name = name_child(scan_.plugins().plugins[call_.plugin], call_.name);
    made.named_after_parent = true;
  }
  made.producer = call_.plugin;
  made.save = call_.save;
  made.parent = call_.content;
  made.ordinal = ordinal;
  made.depth = call_.depth + 1;
  return made;
}

void SinkBase::run_here(Item item) {
  const auto from = stage_of(scan_.plugins().plugins[call_.plugin].category);
  scan_.handover().note_inline(from, Stage::dispatch, 1);
  const auto began = Clock::now();
  scan_.payload(lane_, root_, std::move(item));
  timer_.nested += Clock::now() - began;
}

void SinkBase::emit(Bytes bytes, ChildInfo info) {
  const Spell spell(lane_.account.get(), Activity::children);
  scan_.check(root_, timer_);
  std::uint32_t ordinal = 0;
  if (!next(ordinal)) return;
  if (bytes.size() > scan_.limits().max_child_bytes) {
    count_dropped("child_bytes", bytes.size());
    return;
  }
  try {
    charge(bytes.size());
    scan_.charge_root(root_, bytes.size(), 1);
  } catch (const LimitReached& reached) {
    count_dropped(reached.limit, bytes.size());
    throw;
  }
  count_emitted();
  deliver(item(std::move(bytes), std::move(info), ordinal), true);
}

bool SinkBase::produce(ChildInfo info, std::uint64_t expected, Fill fill) {
  const Spell spell(lane_.account.get(), Activity::children);
  scan_.check(root_, timer_);
  std::uint32_t ordinal = 0;
  if (!next(ordinal)) return false;
  const auto prefer = scan_.may_send(root_) ? Prefer::shared : Prefer::lane;
  const auto charge_more = [this](std::uint64_t more) {
    charge(more);
    scan_.charge_root(root_, more, 0);
    scan_.check(root_, timer_);
  };
  PooledBuffer buffer(scan_.memory(), lane_.index, prefer, scan_.limits().max_child_bytes,
                      charge_more);
  Outcome outcome;
  const char* stopped = nullptr;
  try {
    scan_.charge_root(root_, 0, 1);
    const BackInCall inside(lane_.account.get());
    fill(buffer);
  } catch (const LimitReached& reached) {
    stopped = reached.limit;
  } catch (const Encrypted& error) {
    outcome = {Status::encrypted, "encrypted", error.what()};
  } catch (const Unsupported& error) {
    outcome = {Status::unsupported, "unsupported", error.what()};
  } catch (const MalformedInput& error) {
    outcome = {Status::corrupt, "corrupt", error.what()};
  } catch (const std::bad_alloc&) {
    outcome = {Status::out_of_memory, "out_of_memory", "no memory for this child"};
  }
  const bool only_this = stopped != nullptr && std::string_view(stopped) == "child_bytes";
  if (stopped != nullptr && (!info.keep_prefix || buffer.size() == 0)) {
    count_dropped(stopped, std::max<std::uint64_t>(expected, buffer.size()));
    if (!only_this) throw LimitReached{stopped};
    return false;
  }
  if (stopped != nullptr)
    outcome = {Status::partial, stopped, "cut after " + std::to_string(buffer.size()) + " bytes"};
  count_emitted();
  const bool may_travel = buffer.may_travel();
  const bool nothing_came = outcome.status != Status::ok && buffer.size() == 0;
  auto made = item(buffer.release(), std::move(info), ordinal);
  made.status = outcome.status;
  made.has_bytes = !nothing_came;
  if (outcome.status != Status::ok) {
    append_error(made.errors, scan_.plugins().plugins[call_.plugin].qualified, outcome.kind,
                 outcome.message);
  }
  deliver(std::move(made), may_travel);
  if (stopped != nullptr && !only_this) throw LimitReached{stopped};
  return outcome.status == Status::ok;
}

void SinkBase::lost(ChildInfo info, Status status, std::string_view message) {
  const Spell spell(lane_.account.get(), Activity::children);
  scan_.check(root_, timer_);
  std::uint32_t ordinal = 0;
  if (!next(ordinal)) return;
  try {
    scan_.charge_root(root_, 0, 1);
  } catch (const LimitReached& reached) {
    count_dropped(reached.limit, 0);
    throw;
  }
  count_emitted();
  auto made = item({}, std::move(info), ordinal);
  made.has_bytes = false;
  made.status = status;
  append_error(made.errors, scan_.plugins().plugins[call_.plugin].qualified, to_string(status),
               message);
  deliver(std::move(made), true);
}

// --- Sink -------------------------------------------------------------------------------------

bool Sink::next(std::uint32_t& ordinal) {
  ordinal = expansion_.next_ordinal++;
  const auto most = scan_.limits().max_children;
  if (expansion_.counts.emitted + expansion_.in_ranges < most) return true;
  count_dropped("children", 0);
  // Counting on is courtesy; it ends before it becomes an attack of its own.
  if (expansion_.counts.dropped_count() > 10 * most) throw LimitReached{"children"};
  return false;
}

void Sink::charge(std::uint64_t bytes) {
  const auto total = expansion_.out_bytes()->fetch_add(bytes) + bytes;
  if (total <= expansion_.most_bytes) return;
  // Beside ranges it depends on the schedule how much of them is counted by now.
  if (expansion_.in_ranges > 0 && !root_.canonical) {
    root_.redo = true;
    throw LimitReached{"redo"};
  }
  throw LimitReached{"ratio"};
}

void Sink::count_emitted() {
  ++expansion_.counts.emitted;
  ++settled_;
}

void Sink::count_dropped(std::string_view limit, std::uint64_t bytes) {
  expansion_.counts.drop(limit, 1, bytes);
  ++settled_;
}

void Sink::deliver(Item item, bool may_travel) {
  lane_.count_child(call_.plugin, item.bytes.size());
  if (!may_travel || !scan_.may_send(root_)) {
    run_here(std::move(item));
    return;
  }
  const auto size = item.bytes.size();
  if (size >= small_child) send_slab();
  slab_.bytes += size;
  slab_.items.push_back(std::move(item));
  if (size >= small_child || slab_.items.size() >= slab_items || slab_.bytes >= slab_bytes) {
    send_slab();
  }
}

void Sink::send_slab() {
  if (slab_.items.empty()) return;
  auto job = std::make_shared<SlabJob>(scan_, root_, std::move(slab_));
  slab_ = {};
  scan_.handover().send(stage_of(scan_.plugins().plugins[call_.plugin].category), Stage::dispatch,
                        std::move(job));
}

void Sink::each(std::size_t count, Member member) {
  scan_.check(root_, timer_);
  const auto most = scan_.limits().max_children;
  const auto room = most - std::min(most, expansion_.counts.emitted + expansion_.in_ranges);
  const auto kept = static_cast<std::size_t>(std::min<std::uint64_t>(count, room));
  if (kept < count) expansion_.counts.drop("children", count - kept, 0);
  expansion_.counts.declared += count - kept;
  if (kept == 0) return;
  auto range = std::make_shared<Range>(scan_, root_, call_.plugin, call_.save, call_.content,
                                       call_.depth, expansion_.next_ordinal, expansion_.most_bytes,
                                       std::move(member), payload_, std::string(call_.name));
  expansion_.next_ordinal += static_cast<std::uint32_t>(kept);
  expansion_.in_ranges += kept;
  range->left = kept;
  range->out_bytes = expansion_.out_bytes();
  range->counts.declared = kept;
  run_range(range, lane_, timer_, 0, kept);
}

void Sink::finish(std::string_view stopped_by) {
  send_slab();
  if (declared_ > settled_) {
    expansion_.counts.drop(stopped_by.empty() ? "not_found" : stopped_by, declared_ - settled_, 0);
    settled_ = declared_;
  }
  expansion_.counts.declared += settled_;
}

}  // namespace stoq::engine
