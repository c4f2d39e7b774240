/// The scan graph on oneTBB: nodes by name, edges that count, and the one place that waits
/// (admission, outside the cycle).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/config.hpp"
#include "engine/dispatcher.hpp"
#include "engine/lane.hpp"
#include "engine/memory.hpp"
#include "engine/plugin_set.hpp"
#include "engine/totals.hpp"

namespace stoq::engine {

/// How coarse and how eager the graph is. Results never depend on it.
struct GraphTuning {
  unsigned hungry_limit = 0;  ///< jobs queued below which threads count as hungry; 0: 4 a thread
  unsigned window = 0;        ///< batches in flight; 0: 4 a thread
  unsigned batch_roots = 64;
  std::uint64_t batch_bytes = std::uint64_t{1} << 20;
  std::size_t cache_bytes = std::size_t{64} << 20;  ///< results kept for equal roots
  /// Smaller roots that no worker looked at and nothing came out of are sooner scanned again than
  /// kept.
  std::size_t cache_from = std::size_t{64} << 10;
  std::size_t archived = 0;  ///< hashes of archived payloads that are remembered; 0: by memory
};

class Graph {
 public:
  /// Writes lines away, in order, from one thread at a time. May throw IoError: the run ends.
  using Save = std::function<void(std::string_view lines, std::size_t count)>;
  /// Lets others see what was saved; called like Save.
  using Flush = std::function<void()>;
  using Ingest = std::function<void(Intake&)>;

  Graph(const Config& config, const PluginSet& plugins, Dispatcher& dispatcher, unsigned threads,
        std::uint64_t memory, Save save, GraphTuning tuning = {}, Flush flush = {});
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Runs `ingest` on a thread of its own and scans what it puts. Returns when all is saved;
  /// rethrows what ended the run early (IoError of `save`, Error of the source).
  void run(const Ingest& ingest) { run(std::vector<Ingest>{ingest}); }
  /// The same with several instances of a source, each on a thread of its own.
  void run(const std::vector<Ingest>& instances);
  /// Async-signal-safe.
  void interrupt() noexcept;
  /// Lets nothing more in; what is in flight is scanned to its end. Async-signal-safe.
  void end_intake() noexcept;
  [[nodiscard]] bool interrupted() const noexcept;

  struct Counts {
    std::uint64_t roots = 0, payloads = 0, bytes = 0, repeated = 0, expected_roots = 0,
                  expected_bytes = 0;
  };
  [[nodiscard]] Counts counts() const noexcept;
  [[nodiscard]] Totals totals() const;
  /// By plugin number, all threads together; after run().
  [[nodiscard]] std::vector<PluginCounters> plugin_counters() const;
  /// Who used the CPU; after run(), empty without config.accounts.
  [[nodiscard]] Accounts accounts() const;
  /// Payloads sent in messages and passed inline along an edge such as ("extract", "dispatch").
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> edge(std::string_view from,
                                                             std::string_view to) const;
  [[nodiscard]] std::string to_dot() const;
  [[nodiscard]] Memory& memory() noexcept;

 private:
  class Nodes;
  std::unique_ptr<Nodes> nodes_;
};

}  // namespace stoq::engine
