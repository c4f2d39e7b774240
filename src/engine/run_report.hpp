/// run.json: what was run, with what, and what it cost.
#pragma once

#include "engine/config.hpp"
#include "engine/graph.hpp"
#include "engine/plugin_registry.hpp"
#include "engine/run.hpp"

namespace stoq::engine {

/// Writes config.run_json. Throws IoError.
void write_run_report(const Config& config, unsigned threads, const PluginRegistry& registry,
                      const Graph& graph, const Summary& summary);

}  // namespace stoq::engine
