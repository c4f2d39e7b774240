/// What is set for a plugin: the layers of its options, and those that the engine reads itself.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <stoq/plugin.hpp>

#include "engine/config.hpp"
#include "engine/log.hpp"
#include "engine/plugin_file.hpp"

namespace stoq::engine {

/// The command line over the .stoq file over stoq.cfg. Warns of what stoq.cfg sets in vain.
[[nodiscard]] Options::Settings settings_of(const FoundPlugin& plugin, const Config& config,
                                            Log& log);

/// Options that say how the engine treats a plugin, which need not declare them.
struct EngineOptions {
  std::vector<std::string> types;       ///< type_list: payload types a worker wants; empty: all
  std::uint64_t max_size = UINT64_MAX;  ///< largest payload a worker wants, in bytes
  Tlp max_tlp = Tlp::red;               ///< most restricted payload it is shown
  bool hash_payload = true;             ///< a worker wants the digests of roots recorded
  bool save_results = true;             ///< what a worker says is recorded
  bool needs_payload = true;            ///< a worker can say nothing without one
  bool multiprocess = false;            ///< several instances of a source may run
};

/// Whether the engine reads this option of plugins of that category.
[[nodiscard]] bool is_engine_option(Category category, std::string_view key);

/// Reads them, and warns when the plugin was written for another version. Throws ConfigError.
[[nodiscard]] EngineOptions read_engine_options(Options& options, const FoundPlugin& plugin,
                                                Log& log);

/// Sets them to what is in force, for a plugin that reads them, too. `read`: by
/// read_engine_options().
void set_engine_options(Options::Settings& settings, const Options& read);

}  // namespace stoq::engine
