#include "engine/graph.hpp"

#include <span>

#include "engine/graph_nodes.hpp"

namespace stoq::engine {

Graph::Graph(const Config& config, const PluginSet& plugins, Dispatcher& dispatcher,
             unsigned threads, std::uint64_t memory, Save save, GraphTuning tuning, Flush flush)
    : nodes_(std::make_unique<Nodes>(config, plugins, dispatcher, threads, memory, std::move(save),
                                     tuning, std::move(flush))) {}
Graph::~Graph() = default;

void Graph::run(const std::vector<Ingest>& instances) { nodes_->run(instances); }
void Graph::interrupt() noexcept { nodes_->interrupt(); }
void Graph::end_intake() noexcept { nodes_->end_intake(); }
bool Graph::interrupted() const noexcept { return nodes_->interrupted(); }
Memory& Graph::memory() noexcept { return nodes_->memory_; }

Graph::Counts Graph::counts() const noexcept {
  Counts counts;
  counts.roots = nodes_->done_roots_;
  counts.repeated = nodes_->repeated_roots_;
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
      all[i].kept += one.kept;
      all[i].had += one.had;
      all[i].time += one.time;
    }
  }
  return all;
}

Accounts Graph::accounts() const {
  Accounts all;
  if (!nodes_->ticks_) return all;
  std::vector<const Account*> parts;
  for (const auto& account : nodes_->source_accounts_) parts.push_back(account.get());
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
