#include "engine/assembler.hpp"

#include <algorithm>
#include <memory>

#include "engine/record.hpp"
#include "engine/stoq_record.hpp"

namespace stoq::engine {

Assembler::Assembler(const Config& config, const PluginSet& plugins)
    : config_(config), plugins_(plugins) {
  for (const auto number : plugins.workers) {
    workers_read_names_ = workers_read_names_ || plugins.plugins[number].plugin->reads_name();
  }
}

bool Assembler::must_redo(RootState& root) const {
  if (root.canonical) return false;
  if (root.redo) return true;
  // Timed out: what was reached depends on the clock in any case.
  if (!root.spread || root.cut.load() != nullptr || root.results->occurrences.size() <= 1)
    return false;
  return differs_from_canonical(*root.results, RootTree(*root.results), config_.limits.max_depth,
                                workers_read_names_, ChildNames(plugins_, root.name()));
}

bool Assembler::depends_on_name(const RootState& root) const {
  // Names that are given after the root's may reach any plugin below.
  const auto& contents = root.results->contents;
  return workers_read_names_ ||
         std::any_of(contents.begin(), contents.end(),
                     [](const Content& content) { return content.reads_name; });
}

void Assembler::render(RootState& root, Lane& lane, Totals& totals, Take take) const {
  if (config_.format == Format::stoq) {
    StoqRecordWriter(config_, plugins_, root, lane, totals).write(take);
  } else {
    RecordWriter(config_, plugins_, root, lane, totals).write(take);
  }
}

}  // namespace stoq::engine
