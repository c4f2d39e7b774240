/// The inside of Graph: its nodes and edges, and the bodies that run in them. Only the engine's
/// graph*.cpp include it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include "engine/archived_set.hpp"
#include "engine/assembler.hpp"
#include "engine/graph.hpp"
#include "engine/intake.hpp"
#include "engine/large_stack.hpp"
#include "engine/loader.hpp"
#include "engine/scan.hpp"

namespace stoq::engine {

namespace flow = oneapi::tbb::flow;

using JobPtr = std::shared_ptr<Job>;
using BatchPtr = std::shared_ptr<Batch>;

/// Roots [low, high) of a batch, to be loaded and scanned.
struct LoadJob {
  BatchPtr batch;
  std::size_t low = 0, high = 0;
};
using LoadPtr = std::shared_ptr<LoadJob>;

/// What an edge of the graph carried.
struct Edge {
  Stage from, to;
  std::atomic<std::uint64_t> sent{0};
};

inline constexpr std::array<std::pair<Stage, Stage>, 20> edges{{
    {Stage::admit, Stage::load},      {Stage::load, Stage::load},
    {Stage::load, Stage::dispatch},   {Stage::load, Stage::assemble},
    {Stage::dispatch, Stage::decode}, {Stage::dispatch, Stage::extract},
    {Stage::dispatch, Stage::carve},  {Stage::dispatch, Stage::scan},
    {Stage::decode, Stage::dispatch}, {Stage::extract, Stage::dispatch},
    {Stage::carve, Stage::dispatch},  {Stage::decode, Stage::decode},
    {Stage::extract, Stage::extract}, {Stage::carve, Stage::carve},
    {Stage::decode, Stage::assemble}, {Stage::extract, Stage::assemble},
    {Stage::carve, Stage::assemble},  {Stage::scan, Stage::assemble},
    {Stage::assemble, Stage::order},  {Stage::order, Stage::connect},
}};

/// Where an edge stands in `edges`.
constexpr std::size_t number_of(Stage from, Stage to) noexcept {
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (edges[i] == std::pair(from, to)) return i;
  }
  return edges.size();
}

/// One thread's counts: payloads pass inline by the million, on lines of their own.
struct alignas(64) InlineCounts : std::array<std::atomic<std::uint64_t>, edges.size() + 1> {};

inline constexpr std::uint64_t most_ahead = std::uint64_t{1} << 20;

/// How many hashes of archived payloads fit into 1/64 of the memory, a node of the set at 80 bytes.
constexpr std::size_t archived_by(std::uint64_t memory) noexcept {
  return std::clamp<std::uint64_t>(memory / 64 / 80, 4096, std::uint64_t{1} << 20);
}

/// Nodes, edges and what their bodies share.
class Graph::Nodes final : public Handover {
 public:
  using LoadNode = flow::multifunction_node<LoadPtr, std::tuple<LoadPtr, JobPtr, BatchPtr>>;
  using JobNode =
      flow::multifunction_node<JobPtr,
                               std::tuple<JobPtr, JobPtr, JobPtr, JobPtr, JobPtr, BatchPtr>>;

  Nodes(const Config& config, const PluginSet& plugins, Dispatcher& dispatcher, unsigned threads,
        std::uint64_t memory, Save save, GraphTuning tuning, Flush flush)
      : config_(config),
        threads_(threads),
        hungry_limit_(tuning.hungry_limit != 0 ? tuning.hungry_limit : 4 * threads),
        save_(std::move(save)),
        flush_(std::move(flush)),
        memory_(memory, threads),
        cache_(std::min<std::uint64_t>(tuning.cache_bytes, memory / 8)),
        archived_(tuning.archived != 0 ? tuning.archived : archived_by(memory)),
        scan_(config, plugins, dispatcher, memory_, *this, cache_, archived_),
        assembler_(config, plugins),
        loader_(config, plugins, memory_),
        // One slot is left to the thread that waits for the graph: it works as well.
        parallelism_(oneapi::tbb::global_control::max_allowed_parallelism, threads),
        stacks_(oneapi::tbb::global_control::thread_stack_size, stack_size),
        arena_(static_cast<int>(threads)),
        admission_(tuning.window != 0 ? tuning.window : 4 * threads),
        most_ahead_(std::min(most_ahead, memory / threads / 16)),
        tuning_(tuning) {
    support::DigestSet digests{config.digests.md5, config.digests.sha1, config.digests.sha512};
    for (unsigned i = 0; i < threads; ++i) {
      lanes_.push_back(std::make_unique<Lane>(i, dispatcher, digests, plugins.plugins.size()));
    }
    if (config.accounts) {
      ticks_.emplace();
      for (auto& lane : lanes_) lane->account = new_account(Activity::schedule);
    }
    totals_.resize(threads);
    inlined_ = std::vector<InlineCounts>(threads);
    for (std::size_t i = 0; i < edges.size(); ++i) {
      edges_[i].from = edges[i].first;
      edges_[i].to = edges[i].second;
    }
    arena_.execute([this] { build(); });
  }

  ~Nodes() override {
    // Making an edge may spawn a task of the node's: none may outlive it, also when nothing ran.
    arena_.execute([this] { graph_->wait_for_all(); });
  }
  Nodes(const Nodes&) = delete;
  Nodes& operator=(const Nodes&) = delete;

  void run(const std::vector<Ingest>& instances);
  void interrupt() noexcept { interrupted_.store(true, std::memory_order_relaxed); }
  void end_intake() noexcept { ending_.store(true, std::memory_order_relaxed); }

  // --- Handover
  [[nodiscard]] bool hungry() const noexcept override {
    return threads_ > 1 && queued_.load(std::memory_order_relaxed) < hungry_limit_;
  }
  void send(Stage from, Stage to, std::shared_ptr<Job> job) override {
    job->root.pending.fetch_add(1, std::memory_order_relaxed);
    job->root.spread.store(true, std::memory_order_relaxed);
    queued_.fetch_add(1, std::memory_order_relaxed);
    edge(from, to).sent.fetch_add(job->payloads(), std::memory_order_relaxed);
    port_of(from, to, std::move(job));
  }
  void note_inline(Stage from, Stage to, std::uint64_t payloads) noexcept override {
    inlined_[own_index()][number_of(from, to)].fetch_add(payloads, std::memory_order_relaxed);
  }
  [[nodiscard]] bool interrupted() const noexcept override {
    return interrupted_.load(std::memory_order_relaxed);
  }

  Edge& edge(Stage from, Stage to) noexcept { return edges_[number_of(from, to)]; }
  /// What passed inline along an edge, all threads together.
  [[nodiscard]] std::uint64_t inlined(const Edge& edge) const noexcept {
    std::uint64_t sum = 0;
    for (const auto& one : inlined_) {
      sum += one[number_of(edge.from, edge.to)].load(std::memory_order_relaxed);
    }
    return sum;
  }

 private:
  friend class Graph;

  void build();
  void connect_edges();
  void port_of(Stage from, Stage to, JobPtr job);
  JobNode& node(Stage stage) {
    switch (stage) {
      case Stage::decode:
        return *decode_;
      case Stage::extract:
        return *extract_;
      case Stage::carve:
        return *carve_;
      case Stage::scan:
        return *scan_node_;
      default:
        return *dispatch_;
    }
  }
  [[nodiscard]] static std::size_t own_index() noexcept {
    return static_cast<std::size_t>(oneapi::tbb::this_task_arena::current_thread_index());
  }
  [[nodiscard]] Lane& lane() { return *lanes_[own_index()]; }

  [[nodiscard]] std::unique_ptr<Account> new_account(Activity base) const {
    return std::make_unique<Account>(*ticks_, base, scan_.plugins().plugins.size(),
                                     config_.slowest);
  }
  void admit(BatchPtr batch);
  void ingest(const Ingest& instance, SharedIntake& shared, Account* account);
  void do_load(const LoadPtr& job);
  void do_job(const JobPtr& job);
  void describe(Root& root) const;
  std::size_t load_some(Lane& lane, const BatchPtr& batch, std::size_t low, std::size_t& high,
                        std::vector<RootState*>& loaded);
  void scan_loaded(Lane& lane, const std::vector<RootState*>& loaded);
  bool load_file(Lane& lane, RootState& root, OpenFolder& folder,
                 FunctionRef<void()> before_large) {
    const Spell spell(lane.account.get(), Activity::load);
    return loader_.load(root, lane.index, folder, before_large);
  }
  void release(Lane& lane, RootState& root);
  void assemble(Lane& lane, RootState& root);
  void keep(RootState& root);
  void finish_batch(Batch& batch);
  void save_batch(const BatchPtr& batch);
  void fail(std::exception_ptr problem);

  const Config& config_;
  unsigned threads_;
  std::uint64_t hungry_limit_;
  Save save_;
  Flush flush_;
  Memory memory_;
  ResultCache cache_;
  ArchivedSet archived_;
  Scan scan_;
  Assembler assembler_;
  Loader loader_;
  oneapi::tbb::global_control parallelism_, stacks_;
  oneapi::tbb::task_arena arena_;
  Admission admission_;
  std::uint64_t most_ahead_;  ///< bytes of roots that a thread loads before it scans them
  GraphTuning tuning_;

  std::optional<Ticks> ticks_;                             ///< with accounts
  std::vector<std::unique_ptr<Account>> source_accounts_;  ///< of its instances
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Totals> totals_;
  std::array<Edge, edges.size() + 1> edges_{};
  std::vector<InlineCounts> inlined_;
  alignas(64) std::atomic<std::uint64_t> queued_{0};
  std::atomic<bool> interrupted_{false}, ending_{false};
  std::atomic<std::uint64_t> done_roots_{0}, repeated_roots_{0}, expected_roots_{0},
      expected_bytes_{0};
  // Of the connect node, which is serial.
  bool save_failed_ = false, flush_always_ = false;
  std::string saved_lines_;  ///< kept for its room
  std::mutex problem_mutex_;
  std::exception_ptr problem_, source_problem_;
  std::mutex batches_mutex_;
  std::vector<BatchPtr> live_;  ///< keeps a batch until its last root is assembled

  std::unique_ptr<flow::graph> graph_;
  std::unique_ptr<flow::function_node<BatchPtr, LoadPtr>> admit_;
  std::unique_ptr<LoadNode> load_;
  std::unique_ptr<JobNode> dispatch_, decode_, extract_, carve_, scan_node_;
  std::unique_ptr<flow::function_node<BatchPtr, BatchPtr>> assemble_;
  std::unique_ptr<flow::sequencer_node<BatchPtr>> order_;
  std::unique_ptr<flow::function_node<BatchPtr>> connect_;
};

}  // namespace stoq::engine
