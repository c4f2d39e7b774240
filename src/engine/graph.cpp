#include "engine/graph.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <tuple>

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_scheduler_observer.h>

#include "engine/assembler.hpp"
#include "engine/intake.hpp"
#include "engine/loader.hpp"
#include "engine/scan.hpp"

namespace stoq::engine {
namespace {

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

constexpr std::array<std::pair<Stage, Stage>, 20> edges{{
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

/// Counts threads' time from when they enter the arena until they leave it.
class ArenaAccounts final : public oneapi::tbb::task_scheduler_observer {
 public:
  ArenaAccounts(oneapi::tbb::task_arena& arena, const std::vector<std::unique_ptr<Lane>>& lanes)
      : task_scheduler_observer(arena), lanes_(lanes) {
    if (lanes_.front()->account) observe(true);
  }
  ~ArenaAccounts() override { observe(false); }
  ArenaAccounts(const ArenaAccounts&) = delete;
  ArenaAccounts& operator=(const ArenaAccounts&) = delete;
  void on_scheduler_entry(bool /*is_worker*/) override { own().arrive(); }
  void on_scheduler_exit(bool /*is_worker*/) override { own().depart(); }

 private:
  Account& own() {
    const auto index = oneapi::tbb::this_task_arena::current_thread_index();
    return *lanes_[static_cast<std::size_t>(index)]->account;
  }
  const std::vector<std::unique_ptr<Lane>>& lanes_;
};

constexpr std::size_t stack_size = std::size_t{16} << 20;

}  // namespace

/// Nodes, edges and what their bodies share.
class Graph::Nodes final : public Handover {
 public:
  using LoadNode = flow::multifunction_node<LoadPtr, std::tuple<LoadPtr, JobPtr, BatchPtr>>;
  using JobNode =
      flow::multifunction_node<JobPtr,
                               std::tuple<JobPtr, JobPtr, JobPtr, JobPtr, JobPtr, BatchPtr>>;

  Nodes(const Config& config, const PluginSet& plugins, Dispatcher& dispatcher, unsigned threads,
        std::uint64_t memory, Save save, GraphTuning tuning)
      : config_(config),
        threads_(threads),
        hungry_limit_(tuning.hungry_limit != 0 ? tuning.hungry_limit : 4 * threads),
        save_(std::move(save)),
        memory_(memory, threads),
        scan_(config, plugins, dispatcher, memory_, *this),
        assembler_(config, plugins),
        loader_(config, memory_),
        // One slot is left to the thread that waits for the graph: it works as well.
        parallelism_(oneapi::tbb::global_control::max_allowed_parallelism, threads),
        stacks_(oneapi::tbb::global_control::thread_stack_size, stack_size),
        arena_(static_cast<int>(threads)),
        admission_(tuning.window != 0 ? tuning.window : 4 * threads),
        tuning_(tuning) {
    support::DigestSet digests{config.digests.md5, config.digests.sha1, config.digests.sha512};
    for (unsigned i = 0; i < threads; ++i) {
      lanes_.push_back(std::make_unique<Lane>(i, dispatcher, digests, plugins.plugins.size()));
    }
    if (config.accounts) {
      ticks_.emplace();
      const auto account = [&](Activity base) {
        return std::make_unique<Account>(*ticks_, base, plugins.plugins.size(), config.slowest);
      };
      for (auto& lane : lanes_) lane->account = account(Activity::schedule);
      source_account_ = account(Activity::source);
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

  void run(const std::function<void(Intake&)>& ingest);
  void interrupt() noexcept { interrupted_.store(true, std::memory_order_relaxed); }

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

  void do_load(const LoadPtr& job);
  void do_job(const JobPtr& job);
  void load_root(Lane& lane, RootState& root, const LoadPtr& job, std::size_t& high);
  bool load_file(Lane& lane, RootState& root, FunctionRef<void()> before_large) {
    const Spell spell(lane.account.get(), Activity::load);
    return loader_.load(root, lane.index, before_large);
  }
  void release(Lane& lane, RootState& root);
  void assemble(Lane& lane, RootState& root);
  void finish_batch(Batch& batch);
  void save_batch(const BatchPtr& batch);
  void fail(std::exception_ptr problem);

  const Config& config_;
  unsigned threads_;
  std::uint64_t hungry_limit_;
  Save save_;
  Memory memory_;
  Scan scan_;
  Assembler assembler_;
  Loader loader_;
  oneapi::tbb::global_control parallelism_, stacks_;
  oneapi::tbb::task_arena arena_;
  Admission admission_;
  GraphTuning tuning_;

  std::optional<Ticks> ticks_;  ///< with accounts
  std::unique_ptr<Account> source_account_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Totals> totals_;
  std::array<Edge, edges.size() + 1> edges_{};
  std::vector<InlineCounts> inlined_;
  alignas(64) std::atomic<std::uint64_t> queued_{0};
  std::atomic<bool> interrupted_{false};
  std::atomic<std::uint64_t> done_roots_{0}, expected_roots_{0}, expected_bytes_{0};
  bool save_failed_ = false;  ///< of the connect node, which is serial
  std::mutex problem_mutex_;
  std::exception_ptr problem_;
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

// --- Building ---------------------------------------------------------------------------------

void Graph::Nodes::build() {
  graph_ = std::make_unique<flow::graph>();
  auto& g = *graph_;
  admit_ = std::make_unique<flow::function_node<BatchPtr, LoadPtr>>(
      // Not serial: such a node hands its message on by running the successor itself, and one
      // thread would load and scan every batch in turn. The batches are numbered already.
      g, flow::unlimited, [this](const BatchPtr& batch) {
        edge(Stage::admit, Stage::load).sent.fetch_add(1, std::memory_order_relaxed);
        return std::make_shared<LoadJob>(batch, std::size_t{0}, batch->roots.size());
      });
  load_ = std::make_unique<LoadNode>(
      g, flow::unlimited,
      [this](const LoadPtr& job, LoadNode::output_ports_type& /*ports*/) { do_load(job); });
  const auto job_node = [&] {
    return std::make_unique<JobNode>(
        g, flow::unlimited,
        [this](const JobPtr& job, JobNode::output_ports_type& /*ports*/) { do_job(job); });
  };
  dispatch_ = job_node();
  decode_ = job_node();
  extract_ = job_node();
  carve_ = job_node();
  scan_node_ = job_node();
  assemble_ = std::make_unique<flow::function_node<BatchPtr, BatchPtr>>(
      g, flow::unlimited, [](const BatchPtr& batch) { return batch; });
  order_ = std::make_unique<flow::sequencer_node<BatchPtr>>(
      g, [](const BatchPtr& batch) -> std::size_t { return batch->sequence; });
  connect_ = std::make_unique<flow::function_node<BatchPtr>>(g, flow::serial,
                                                             [this](const BatchPtr& batch) {
                                                               save_batch(batch);
                                                               return flow::continue_msg();
                                                             });
  connect_edges();
}

void Graph::Nodes::connect_edges() {
  flow::make_edge(*admit_, *load_);
  flow::make_edge(flow::output_port<0>(*load_), *load_);
  flow::make_edge(flow::output_port<1>(*load_), *dispatch_);
  flow::make_edge(flow::output_port<2>(*load_), *assemble_);
  // Ports of a job node, in order: dispatch, decode, extract, carve, scan, assemble.
  for (auto* from :
       {dispatch_.get(), decode_.get(), extract_.get(), carve_.get(), scan_node_.get()}) {
    if (from != dispatch_.get() && from != scan_node_.get()) {
      flow::make_edge(flow::output_port<0>(*from), *dispatch_);
    }
    if (from == dispatch_.get() || from == decode_.get()) {
      flow::make_edge(flow::output_port<1>(*from), *decode_);
    }
    if (from == dispatch_.get() || from == extract_.get()) {
      flow::make_edge(flow::output_port<2>(*from), *extract_);
    }
    if (from == dispatch_.get() || from == carve_.get()) {
      flow::make_edge(flow::output_port<3>(*from), *carve_);
    }
    if (from == dispatch_.get()) flow::make_edge(flow::output_port<4>(*from), *scan_node_);
    flow::make_edge(flow::output_port<5>(*from), *assemble_);
  }
  if (config_.ordered) {
    flow::make_edge(*assemble_, *order_);
    flow::make_edge(*order_, *connect_);
  } else {
    flow::make_edge(*assemble_, *connect_);
  }
}

void Graph::Nodes::port_of(Stage from, Stage to, JobPtr job) {
  auto& ports = node(from).output_ports();
  bool taken = false;
  switch (to) {
    case Stage::decode:
      taken = std::get<1>(ports).try_put(std::move(job));
      break;
    case Stage::extract:
      taken = std::get<2>(ports).try_put(std::move(job));
      break;
    case Stage::carve:
      taken = std::get<3>(ports).try_put(std::move(job));
      break;
    case Stage::scan:
      taken = std::get<4>(ports).try_put(std::move(job));
      break;
    default:
      taken = std::get<0>(ports).try_put(std::move(job));
  }
  // Every successor is unlimited: a refusal would be a lost payload.
  if (!taken) std::terminate();
}

// --- Bodies -----------------------------------------------------------------------------------

void Graph::Nodes::do_load(const LoadPtr& job) {
  auto& own = lane();
  auto high = job->high;
  for (auto i = job->low; i < high; ++i) {
    auto& root = *job->batch->roots[i];
    const auto rest = std::make_shared<LoadJob>(job->batch, i + 1, high);
    load_root(own, root, rest, high);
  }
}

void Graph::Nodes::load_root(Lane& lane, RootState& root, const LoadPtr& rest, std::size_t& high) {
  const auto give_rest_away = [&] {
    if (rest->low >= rest->high || !hungry()) return;
    high = rest->low;
    edge(Stage::load, Stage::load).sent.fetch_add(1, std::memory_order_relaxed);
    std::get<0>(load_->output_ports()).try_put(rest);
  };
  if (interrupted()) {
    root.fail(Status::partial, "interrupted", "the run was interrupted before it was scanned");
  } else if (load_file(lane, root, give_rest_away)) {
    note_inline(Stage::load, Stage::dispatch, 1);
    scan_.root(lane, root);
  }
  release(lane, root);
}

void Graph::Nodes::do_job(const JobPtr& job) {
  queued_.fetch_sub(1, std::memory_order_relaxed);
  auto& own = lane();
  try {
    job->run(own);
  } catch (...) {
    // An exception that left a node would take the whole graph along.
    job->root.fail(Status::crash, "internal", "part of it was lost to an unexpected error");
  }
  release(own, job->root);
}

void Graph::Nodes::release(Lane& lane, RootState& root) {
  if (root.pending.fetch_sub(1, std::memory_order_acq_rel) == 1) assemble(lane, root);
}

void Graph::Nodes::assemble(Lane& lane, RootState& root) {
  const Spell spell(lane.account.get(), Activity::assemble);
  try {
    const bool redo = assembler_.must_redo(root);
    if (redo && interrupted()) {
      root.fail(Status::partial, "interrupted", "the run was interrupted before it was done again");
    } else if (redo) {
      root.forget();
      root.canonical = true;
      root.pending = 1;
      root.started = Clock::now();
      scan_.root(lane, root);
    }
    root.bytes = {};
    // A giant's records are rendered while they are written, not held in memory.
    if (!root.spool.in_file()) {
      assembler_.render(root, lane, totals_[lane.index],
                        [&](std::string& lines, std::size_t count) {
                          root.lines += lines;
                          root.records += count;
                        });
    }
  } catch (...) {
    fail(std::current_exception());
  }
  done_roots_.fetch_add(1, std::memory_order_relaxed);
  if (root.batch->left.fetch_sub(1, std::memory_order_acq_rel) == 1) finish_batch(*root.batch);
}

void Graph::Nodes::finish_batch(Batch& batch) {
  BatchPtr done;
  {
    const std::lock_guard lock(batches_mutex_);
    const auto found = std::find_if(live_.begin(), live_.end(),
                                    [&](const BatchPtr& live) { return live.get() == &batch; });
    done = std::move(*found);
    live_.erase(found);
  }
  edge(Stage::assemble, Stage::order).sent.fetch_add(1, std::memory_order_relaxed);
  assemble_->try_put(std::move(done));
}

void Graph::Nodes::save_batch(const BatchPtr& batch) {
  edge(Stage::order, Stage::connect).sent.fetch_add(1, std::memory_order_relaxed);
  auto& own = lane();
  const Spell spell(own.account.get(), Activity::connect);
  const auto save = [&](std::string_view lines, std::size_t count) {
    const Spell saving(own.account.get(), Activity::save);
    save_(lines, count);
  };
  // After a failed save nothing more is written: behind half a line, no line would be whole.
  if (save_failed_) batch->roots.clear();
  try {
    std::string lines;
    std::size_t count = 0;
    for (const auto& root : batch->roots) {
      if (root->spool.in_file()) {
        if (count > 0) save(lines, count);
        lines.clear();
        count = 0;
        assembler_.render(*root, own, totals_[own.index],
                          [&](std::string& some, std::size_t records) { save(some, records); });
        root->forget();
        continue;
      }
      lines += root->lines;
      count += root->records;
    }
    if (count > 0) save(lines, count);
  } catch (...) {
    // Whatever it is, it must not end the graph: the source may be waiting for a place.
    save_failed_ = true;
    fail(std::current_exception());
  }
  batch->roots.clear();
  admission_.leave();
}

void Graph::Nodes::fail(std::exception_ptr problem) {
  const std::lock_guard lock(problem_mutex_);
  if (!problem_) problem_ = std::move(problem);
  interrupt();
}

// --- Running ----------------------------------------------------------------------------------

void Graph::Nodes::run(const std::function<void(Intake&)>& ingest) {
  const auto admit = [this](BatchPtr batch) {
    for (auto& root : batch->roots) root->batch = batch.get();
    batch->left = batch->roots.size();
    {
      const std::lock_guard lock(batches_mutex_);
      live_.push_back(batch);
    }
    admit_->try_put(std::move(batch));
  };
  const ArenaAccounts accounts(arena_, lanes_);
  std::exception_ptr source_problem;
  graph_->reserve_wait();
  std::jthread source([&] {
    BatchIntake intake(
        admission_, memory_, config_.limits.max_child_bytes, tuning_.batch_roots,
        tuning_.batch_bytes, admit, [this] { return interrupted(); }, expected_roots_,
        expected_bytes_, source_account_.get());
    if (source_account_) source_account_->arrive();
    try {
      ingest(intake);
    } catch (const std::exception&) {
      source_problem = std::current_exception();
    }
    intake.flush();
    if (source_account_) source_account_->depart();
    graph_->release_wait();
  });
  arena_.execute([this] { graph_->wait_for_all(); });
  source.join();
  if (problem_) std::rethrow_exception(problem_);
  if (source_problem) std::rethrow_exception(source_problem);
}

Graph::Graph(const Config& config, const PluginSet& plugins, Dispatcher& dispatcher,
             unsigned threads, std::uint64_t memory, Save save, GraphTuning tuning)
    : nodes_(std::make_unique<Nodes>(config, plugins, dispatcher, threads, memory, std::move(save),
                                     tuning)) {}
Graph::~Graph() = default;

void Graph::run(const std::function<void(Intake&)>& ingest) { nodes_->run(ingest); }
void Graph::interrupt() noexcept { nodes_->interrupt(); }
bool Graph::interrupted() const noexcept { return nodes_->interrupted(); }
Memory& Graph::memory() noexcept { return nodes_->memory_; }

Graph::Counts Graph::counts() const noexcept {
  Counts counts;
  counts.roots = nodes_->done_roots_;
  counts.expected_roots = nodes_->expected_roots_;
  counts.expected_bytes = nodes_->expected_bytes_;
  for (const auto& lane : nodes_->lanes_) {
    counts.payloads += lane->payloads.load(std::memory_order_relaxed);
    counts.bytes += lane->bytes.load(std::memory_order_relaxed);
  }
  return counts;
}

Totals Graph::totals() const {
  Totals all;
  for (const auto& some : nodes_->totals_) all.merge(some);
  return all;
}

std::vector<PluginCounters> Graph::plugin_counters() const {
  std::vector<PluginCounters> all(nodes_->lanes_.front()->counters.size());
  for (const auto& lane : nodes_->lanes_) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& one = lane->counters[i];
      all[i].calls += one.calls;
      all[i].bytes += one.bytes;
      all[i].children += one.children;
      all[i].errors += one.errors;
      all[i].overran += one.overran;
      all[i].out += one.out;
      all[i].time += one.time;
    }
  }
  return all;
}

Accounts Graph::accounts() const {
  Accounts all;
  if (!nodes_->source_account_) return all;
  std::vector<const Account*> parts{nodes_->source_account_.get()};
  for (const auto& lane : nodes_->lanes_) parts.push_back(lane->account.get());
  for (const auto* part : parts) part->add_to(all);
  Account::join_parts(parts, all);
  return all;
}

std::pair<std::uint64_t, std::uint64_t> Graph::edge(std::string_view from,
                                                    std::string_view to) const {
  for (const auto& edge : std::span(nodes_->edges_).first(edges.size())) {
    if (to_string(edge.from) == from && to_string(edge.to) == to) {
      return {edge.sent.load(), nodes_->inlined(edge)};
    }
  }
  return {0, 0};
}

std::string Graph::to_dot() const {
  std::string dot = "digraph stoq {\n  rankdir=LR;\n  node [shape=box];\n";
  dot += "  source [shape=ellipse];\n  source -> admit;\n";
  const bool ordered = nodes_->config_.ordered;
  for (const auto& edge : std::span(nodes_->edges_).first(edges.size())) {
    auto from = edge.from;
    if (!ordered && edge.to == Stage::order) continue;
    if (!ordered && edge.from == Stage::order) from = Stage::assemble;
    ((dot += "  ") += to_string(from)) += " -> ";
    dot += to_string(edge.to);
    const auto sent = edge.sent.load();
    const auto inlined = nodes_->inlined(edge);
    if (sent + inlined > 0) {
      dot +=
          " [label=\"sent " + std::to_string(sent) + "\\ninline " + std::to_string(inlined) + "\"]";
    }
    dot += ";\n";
  }
  return dot + "}\n";
}

}  // namespace stoq::engine
