#include "engine/graph_nodes.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>

#include <oneapi/tbb/task_scheduler_observer.h>

namespace stoq::engine {
namespace {

/// Room for lines that is kept from batch to batch: most need less.
constexpr std::size_t most_saved_room = std::size_t{4} << 20;

/// Counts threads' time from when they enter the arena until they leave it.
class ArenaAccounts final : public oneapi::tbb::task_scheduler_observer {
 public:
  ArenaAccounts(oneapi::tbb::task_arena& arena, const std::vector<std::unique_ptr<Lane>>& lanes)
      : task_scheduler_observer(arena), lanes_(lanes) {
    if (lanes_.front()->account) observe(true);
  }
  // A worker that is still on its way out keeps oneTBB's notes on this observer, which then nobody
  // frees if the process ends first; and its time would be missing.
  ~ArenaAccounts() override {
    // A second, counted in steps: one in which the machine stood still is none for the worker.
    for (int i = 0; inside_.load() > 0 && i < 10'000; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    observe(false);
  }
  ArenaAccounts(const ArenaAccounts&) = delete;
  ArenaAccounts& operator=(const ArenaAccounts&) = delete;
  void on_scheduler_entry(bool /*is_worker*/) override {
    inside_.fetch_add(1);
    own().arrive();
  }
  void on_scheduler_exit(bool /*is_worker*/) override {
    own().depart();
    inside_.fetch_sub(1);
  }

 private:
  Account& own() {
    const auto index = oneapi::tbb::this_task_arena::current_thread_index();
    return *lanes_[static_cast<std::size_t>(index)]->account;
  }
  const std::vector<std::unique_ptr<Lane>>& lanes_;
  std::atomic<int> inside_{0};
};

}  // namespace

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

// Small roots are loaded several at a time, so that they are hashed together.
void Graph::Nodes::do_load(const LoadPtr& job) {
  auto& own = lane();
  std::vector<RootState*> loaded;
  auto high = job->high;
  for (auto low = job->low; low < high;) {
    low = load_some(own, job->batch, low, high, loaded);
    scan_loaded(own, loaded);
    loaded.clear();
  }
}

/// Adds what the user says of every root.
void Graph::Nodes::describe(Root& root) const {
  if (!root.tlp) root.tlp = config_.tlp;
  for (const auto& [key, value] : config_.metadata) root.meta.set(key, value);
}

std::size_t Graph::Nodes::load_some(Lane& lane, const BatchPtr& batch, std::size_t low,
                                    std::size_t& high, std::vector<RootState*>& loaded) {
  const auto give_rest_away = [&] {
    if (low >= high || !hungry()) return;
    edge(Stage::load, Stage::load).sent.fetch_add(1, std::memory_order_relaxed);
    std::get<0>(load_->output_ports()).try_put(std::make_shared<LoadJob>(batch, low, high));
    high = low;
  };
  OpenFolder folder;
  std::uint64_t bytes = 0;
  while (low < high && bytes <= most_ahead_) {
    auto& root = *batch->roots[low++];
    describe(root.root);
    if (interrupted()) {
      root.fail(Status::partial, "interrupted", "the run was interrupted before it was scanned");
    } else if (load_file(lane, root, folder, give_rest_away)) {
      bytes += root.bytes.size();
      loaded.push_back(&root);
      continue;
    }
    release(lane, root);
  }
  return low;
}

void Graph::Nodes::scan_loaded(Lane& lane, const std::vector<RootState*>& loaded) {
  std::vector<ByteView> bytes;
  for (const auto* root : loaded) bytes.push_back(root->bytes.view());
  const auto digests = lane.digests(bytes);
  auto plans = lane.plans(bytes);
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    auto& root = *loaded[i];
    root.started = Clock::now();
    note_inline(Stage::load, Stage::dispatch, 1);
    scan_.root(lane, root, digests.empty() ? nullptr : &digests[i],
               plans[i] ? &*plans[i] : nullptr);
    release(lane, root);
  }
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
    if (root.repeats) repeated_roots_.fetch_add(1, std::memory_order_relaxed);
    // A giant's records are rendered while they are written, not held in memory.
    if (!root.results->spool.in_file()) {
      assembler_.render(root, lane, totals_[lane.index],
                        [&](std::string& lines, std::size_t count) {
                          if (root.lines.empty()) {
                            root.lines.swap(lines);
                          } else {
                            root.lines += lines;
                          }
                          root.records += count;
                        });
      keep(root);
    }
  } catch (...) {
    fail(std::current_exception());
  }
  done_roots_.fetch_add(1, std::memory_order_relaxed);
  if (root.batch->left.fetch_sub(1, std::memory_order_acq_rel) == 1) finish_batch(*root.batch);
}

/// Keeps the results of a rendered root for others that are equal to it.
void Graph::Nodes::keep(RootState& root) {
  const bool whole = root.status == Status::ok && root.cut.load() == nullptr && !interrupted();
  if (root.repeats || !whole || !root.repeatable || root.results->contents.empty()) return;
  const bool cheap = scan_.plugins().workers.empty() && root.results->occurrences.size() == 1 &&
                     root.size < tuning_.cache_from;
  if (cheap) return;
  cache_.keep({root.sha256, root.tlp()},
              assembler_.depends_on_name(root) ? root.name() : std::string_view(),
              root.reads_meta ? &root.root.meta : nullptr, root.results);
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
    auto& lines = saved_lines_;
    lines.clear();
    std::size_t count = 0;
    for (const auto& root : batch->roots) {
      if (root->results->spool.in_file()) {
        if (count > 0) save(lines, count);
        lines.clear();
        count = 0;
        assembler_.render(*root, own, totals_[own.index],
                          [&](std::string& some, std::size_t records) { save(some, records); });
        keep(*root);
        root->forget();
        continue;
      }
      lines += root->lines;
      count += root->records;
    }
    if (count > 0) save(lines, count);
    if (lines.capacity() > most_saved_room) lines = {};
    // Without an order, what was sent before the mark may come behind it.
    flush_always_ = flush_always_ || (batch->flush && !config_.ordered);
    if ((batch->flush || flush_always_) && flush_ && !save_failed_) flush_();
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

void Graph::Nodes::admit(BatchPtr batch) {
  for (auto& root : batch->roots) root->batch = batch.get();
  batch->left = batch->roots.size();
  // One that only says "flush" has nothing to wait for.
  if (batch->roots.empty()) {
    assemble_->try_put(std::move(batch));
    return;
  }
  {
    const std::lock_guard lock(batches_mutex_);
    live_.push_back(batch);
  }
  admit_->try_put(std::move(batch));
}

/// The body of a source's thread. What the instance throws ends the others, too.
void Graph::Nodes::ingest(const Ingest& instance, SharedIntake& shared, Account* account) {
  BatchIntake intake(
      shared, admission_, memory_, config_.limits.max_child_bytes, tuning_.batch_roots,
      tuning_.batch_bytes, [this](BatchPtr batch) { admit(std::move(batch)); },
      [this] { return interrupted() || ending_.load(std::memory_order_relaxed); }, expected_roots_,
      expected_bytes_, account);
  if (account != nullptr) account->arrive();
  try {
    instance(intake);
  } catch (const std::exception&) {
    const std::lock_guard lock(problem_mutex_);
    if (!source_problem_) source_problem_ = std::current_exception();
    end_intake();
  }
  intake.send();
  if (account != nullptr) account->depart();
  graph_->release_wait();
}

void Graph::Nodes::run(const std::vector<Ingest>& instances) {
  const ArenaAccounts accounts(arena_, lanes_);
  SharedIntake shared(config_.rate_limit);
  std::vector<std::jthread> sources;
  for (const auto& instance : instances) {
    if (ticks_) source_accounts_.push_back(new_account(Activity::source));
    auto* const account = ticks_ ? source_accounts_.back().get() : nullptr;
    graph_->reserve_wait();
    sources.emplace_back([&, account] { ingest(instance, shared, account); });
  }
  run_on_large_stack([this] { arena_.execute([this] { graph_->wait_for_all(); }); });
  sources.clear();
  if (problem_) std::rethrow_exception(problem_);
  if (source_problem_) std::rethrow_exception(source_problem_);
}

}  // namespace stoq::engine
