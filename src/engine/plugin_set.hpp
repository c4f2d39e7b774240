/// The plugins of a run as the graph sees them: in one list, by number. Tests fill it with fakes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/plugin.hpp>

namespace stoq::engine {

struct PluginEntry {
  Category category{};
  std::string name, qualified;          ///< "zip", "extractor:zip"
  Plugin* plugin = nullptr;             ///< not owned
  std::vector<std::string> types = {};  ///< payload types a worker wants; empty: all
  std::uint64_t max_size = UINT64_MAX;  ///< largest payload a worker wants
  Tlp max_tlp = Tlp::red;               ///< most restricted payload it is shown
  bool save_results = true;             ///< what a worker says is recorded
};

struct PluginSet {
  static constexpr std::size_t none = SIZE_MAX;

  std::vector<PluginEntry> plugins;
  std::vector<std::size_t> workers;        ///< their numbers, in the order of the records
  std::size_t archiver = none;             ///< number of the connector that keeps payloads
  std::vector<std::size_t> fetchers = {};  ///< of the connectors that bring roots' contents

  [[nodiscard]] std::size_t find(std::string_view qualified) const noexcept {
    for (std::size_t i = 0; i < plugins.size(); ++i) {
      if (plugins[i].qualified == qualified) return i;
    }
    return none;
  }
  std::size_t add(PluginEntry entry) {
    if (entry.category == Category::worker) workers.push_back(plugins.size());
    plugins.push_back(std::move(entry));
    return plugins.size() - 1;
  }
};

}  // namespace stoq::engine
