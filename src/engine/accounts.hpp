/// What the accounts of all threads add up to. Times in nanoseconds. Values, no behaviour.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/histogram.hpp"

namespace stoq::engine {

/// What a thread's time can go to. What plugins of the scan take is counted by plugin, so that
/// decode, extract, carve and scan hold what the engine does around their calls.
enum class Activity : std::uint8_t {
  schedule,  ///< oneTBB: tasks between the nodes' bodies, stealing, waiting awake
  source,    ///< the source plugin
  admit,     ///< batches of roots
  load,      ///< files opened and read
  dispatch,  ///< a payload looked up, its place recorded
  hash,      ///< digests
  rules,     ///< libyara with the dispatch rules
  decode,
  extract,
  carve,
  scan,
  children,  ///< limits, buffers and handing over of what plugins bring out
  assemble,  ///< records rendered
  connect,   ///< records joined for the connector
  save       ///< the connector plugin
};
inline constexpr std::size_t activity_count = 15;

[[nodiscard]] constexpr std::string_view to_string(Activity activity) noexcept {
  constexpr std::string_view names[] = {"schedule", "source",   "admit",    "load",    "dispatch",
                                        "hash",     "rules",    "decode",   "extract", "carve",
                                        "scan",     "children", "assemble", "connect", "save"};
  return names[static_cast<std::size_t>(activity)];
}

/// Whether it is the engine's own: graph, buffers, records. The rest is work that any program would
/// have: reading files, digests, rules, plugins.
[[nodiscard]] constexpr bool is_engine(Activity activity) noexcept {
  switch (activity) {
    case Activity::source:
    case Activity::load:
    case Activity::hash:
    case Activity::rules:
    case Activity::save:
      return false;
    default:
      return true;
  }
}

struct Cost {
  std::int64_t cpu = 0, wall = 0;
  Cost& operator+=(const Cost& other) noexcept {
    cpu += other.cpu;
    wall += other.wall;
    return *this;
  }
};

/// All calls of one plugin.
struct CallAccount {
  Cost cost;
  support::Histogram cpu, wall;  ///< of a call, without parts that other threads took
};

/// What a plugin did with payloads of one format.
struct CallShare {
  std::uint64_t calls = 0, bytes = 0;
  Cost cost;
  CallShare& operator+=(const CallShare& other) noexcept {
    calls += other.calls;
    bytes += other.bytes;
    cost += other.cost;
    return *this;
  }
};

/// Payloads with all that was done to each: digests, rules, plugins, and what the engine does
/// around them; not what came out of it.
struct PayloadSums {
  std::uint64_t payloads = 0, bytes = 0, out = 0;
  Cost cost;
  std::vector<CallShare> calls;  ///< by plugin number
  void add(const PayloadSums& other) {
    payloads += other.payloads;
    bytes += other.bytes;
    out += other.out;
    cost += other.cost;
    if (calls.size() < other.calls.size()) calls.resize(other.calls.size());
    for (std::size_t i = 0; i < other.calls.size(); ++i) calls[i] += other.calls[i];
  }
};

/// All payloads of one format.
struct FormatAccount : PayloadSums {
  support::Histogram cpu, wall;  ///< of a payload
};

/// One plugin on one payload.
struct SlowCall {
  std::uint64_t key = 0;  ///< root and content: equal for parts of one call
  std::size_t plugin = 0;
  std::uint64_t bytes = 0;
  Cost cost;
  std::string path, format;
};

struct Accounts {
  std::array<Cost, activity_count> activities{};
  std::vector<CallAccount> calls;  ///< by plugin number
  std::map<std::string, FormatAccount, std::less<>> formats;
  std::vector<SlowCall> slowest;  ///< by CPU time, greatest first
};

}  // namespace stoq::engine
