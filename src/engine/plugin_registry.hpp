/// Finds plugins by their .stoq files, loads those that a run needs, lays options over them,
/// activates each once and deactivates it at the end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/plugin.hpp>

#include "engine/config.hpp"
#include "engine/run.hpp"
#include "support/ini.hpp"

namespace stoq::engine {

/// A plugin as found on disk; nothing of it has run.
struct FoundPlugin {
  Category category{};
  std::string name;
  std::filesystem::path folder, library;
  support::Ini ini;
  std::string problem;  ///< why it cannot be used; empty when it can
};

/// Every plugin below the search folders: `--plugin-dir`, $STOQ_PLUGIN_PATH, then those of this
/// build or installation. The first of a category and name wins.
[[nodiscard]] std::vector<FoundPlugin> find_plugins(const std::vector<std::string>& extra_dirs);

/// A plugin in use.
struct LoadedPlugin {
  Category category{};
  std::string name;       ///< "zip"
  std::string qualified;  ///< "extractor:zip"
  std::string version;
  std::unique_ptr<Plugin> instance;
  std::vector<std::string> types;       ///< payload types a worker wants; empty: all
  std::uint64_t max_size = UINT64_MAX;  ///< largest payload a worker wants, in bytes
  Tlp max_tlp = Tlp::red;               ///< most restricted payload it is shown
  std::vector<OptionInfo> options;
};

class PluginRegistry {
 public:
  PluginRegistry(const Config& config, Host& host);
  ~PluginRegistry();
  PluginRegistry(const PluginRegistry&) = delete;
  PluginRegistry& operator=(const PluginRegistry&) = delete;

  /// Loads and activates, once. Throws ConfigError, naming what is near, when there is none.
  LoadedPlugin& need(Category category, std::string_view name);
  [[nodiscard]] const std::vector<FoundPlugin>& found() const noexcept { return found_; }
  [[nodiscard]] const std::vector<std::unique_ptr<LoadedPlugin>>& loaded() const noexcept {
    return loaded_;
  }
  [[nodiscard]] const Reader* reader(std::string_view name) const noexcept;

 private:
  LoadedPlugin& load(const FoundPlugin& found);
  [[nodiscard]] std::map<std::string, std::string> given_options(const FoundPlugin& found) const;

  const Config& config_;
  Host& host_;
  std::vector<FoundPlugin> found_;
  std::vector<std::unique_ptr<LoadedPlugin>> loaded_;
};

/// "extractor" → Category::extractor; nothing for other words.
[[nodiscard]] std::optional<Category> parse_category(std::string_view word);
/// "extractor:zip" → both parts. Throws ConfigError naming `origin`.
[[nodiscard]] std::pair<Category, std::string> parse_qualified(std::string_view text,
                                                               const std::string& origin);

}  // namespace stoq::engine
