// Calls into plugins, and what ends them: limits, time, and the plugin's own faults.
#include <chrono>
#include <new>

#include "engine/scan.hpp"

namespace stoq::engine {
namespace {

std::chrono::nanoseconds seconds(double count) {
  return std::chrono::nanoseconds(static_cast<std::int64_t>(count * 1e9));
}

/// What the queries of a Request are asked with.
struct CallContext {
  const Handover& handover;
  RootState& root;
  const CallTimer& timer;
  std::chrono::nanoseconds plugin_timeout;
};

const Value& meta_of(const void* context) noexcept {
  auto& root = static_cast<const CallContext*>(context)->root;
  root.reads_meta.store(true, std::memory_order_relaxed);
  return root.root.meta;
}

bool must_stop(const void* context) noexcept {
  const auto& stop = *static_cast<const CallContext*>(context);
  return stop.handover.interrupted() || stop.root.redo.load(std::memory_order_relaxed) ||
         stop.root.cut.load(std::memory_order_relaxed) != nullptr ||
         stop.timer.own() > stop.plugin_timeout;
}

Status status_of_limit(std::string_view limit) {
  return limit.ends_with("timeout") ? Status::timeout : Status::partial;
}

}  // namespace

void Scan::check(RootState& root, const CallTimer& timer) const {
  if (handover_.interrupted()) throw LimitReached{"interrupted"};
  if (root.redo.load(std::memory_order_relaxed)) throw LimitReached{"redo"};
  const auto now = Clock::now();
  if (now - root.started > seconds(config_.limits.root_timeout)) root.cut = "root_timeout";
  if (const char* cut = root.cut.load(std::memory_order_relaxed); cut != nullptr) {
    throw LimitReached{cut};
  }
  if (now - timer.started - timer.nested > seconds(config_.limits.plugin_timeout)) {
    throw LimitReached{"plugin_timeout"};
  }
}

void Scan::charge_root(RootState& root, std::uint64_t bytes, std::uint64_t payloads) const {
  const auto all_bytes = root.derived_bytes.fetch_add(bytes) + bytes;
  const auto all_payloads = root.derived_payloads.fetch_add(payloads) + payloads;
  const char* spent = all_bytes > config_.limits.max_root_bytes         ? "root_bytes"
                      : all_payloads > config_.limits.max_root_payloads ? "root_payloads"
                                                                        : nullptr;
  if (spent == nullptr) return;
  // Which child crosses the line depends on the schedule: such a root is done again in tree order.
  if (!root.canonical) {
    root.redo = true;
    throw LimitReached{"redo"};
  }
  root.cut = spent;
  throw LimitReached{spent};
}

Outcome Scan::call(Lane& lane, RootState& root, std::size_t plugin, CallTimer& timer,
                   std::uint64_t bytes, FunctionRef<void(const Request&)> body, const Value& args) {
  const CallContext context{handover_, root, timer, seconds(config_.limits.plugin_timeout)};
  CallSpell spell(lane.account.get(), plugin, bytes);
  auto& counters = lane.counters[plugin];
  ++counters.calls;
  counters.bytes += bytes;
  Outcome outcome;
  try {
    body(Request(args, must_stop, &context, meta_of));
  } catch (const LimitReached& reached) {
    outcome = {status_of_limit(reached.limit), reached.limit, "stopped by this limit"};
  } catch (const MalformedInput& error) {
    outcome = {Status::corrupt, "corrupt", error.what()};
  } catch (const Encrypted& error) {
    outcome = {Status::encrypted, "encrypted", error.what()};
  } catch (const Unsupported& error) {
    outcome = {Status::unsupported, "unsupported", error.what()};
  } catch (const IoError& error) {
    outcome = {Status::io_error, "io_error", error.what()};
  } catch (const std::bad_alloc&) {
    outcome = {Status::out_of_memory, "out_of_memory", "memory for this call could not be had"};
  } catch (const std::exception& error) {
    outcome = {Status::crash, "exception", error.what()};
  } catch (...) {
    outcome = {Status::crash, "exception", "threw something that is no exception"};
  }
  spell.finish();
  const auto own = timer.own();
  counters.time += own;
  if (own > context.plugin_timeout && outcome.status < Status::timeout) {
    outcome = {Status::timeout, "plugin_timeout", "ran longer than plugin_timeout allows"};
  }
  // It had a second to notice; the summary names it.
  if (own > context.plugin_timeout + std::chrono::seconds(1)) ++counters.overran;
  if (outcome.status != Status::ok) ++counters.errors;
  return outcome;
}

}  // namespace stoq::engine
