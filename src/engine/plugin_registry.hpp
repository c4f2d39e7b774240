/// Loads the plugins that a run needs, activates each once and deactivates it at the end.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/plugin.hpp>

#include "engine/config.hpp"
#include "engine/log.hpp"
#include "engine/plugin_file.hpp"
#include "engine/plugin_host.hpp"
#include "engine/plugin_options.hpp"
#include "engine/run.hpp"

namespace stoq::engine {

/// A plugin in use.
struct LoadedPlugin {
  Category category{};
  std::string name;       ///< "zip"
  std::string qualified;  ///< "extractor:zip"
  std::string version;
  EngineOptions engine;
  std::unique_ptr<PluginHost> host;
  std::unique_ptr<Plugin> instance;  ///< active
  std::vector<OptionInfo> options;
};

/// Config and log must outlive it.
class PluginRegistry {
 public:
  PluginRegistry(const Config& config, Log& log, unsigned threads);
  /// Deactivates what was activated, and destroys it, the last first.
  ~PluginRegistry();
  PluginRegistry(const PluginRegistry&) = delete;
  PluginRegistry& operator=(const PluginRegistry&) = delete;

  /// Loads and activates, once. Throws ConfigError, in one line that names the file and what to
  /// do, when it cannot; naming what is near, when there is none.
  LoadedPlugin& need(Category category, std::string_view name);
  /// Another active instance of a plugin that need() gave. Throws ConfigError.
  LoadedPlugin& another(const LoadedPlugin& plugin);
  [[nodiscard]] const std::vector<FoundPlugin>& found() const noexcept { return found_; }
  [[nodiscard]] const std::vector<std::unique_ptr<LoadedPlugin>>& loaded() const noexcept {
    return loaded_;
  }
  /// For the plugin that is being activated, if any is: loads the reader where there is one. Else,
  /// finds it among those loaded. Null when there is none.
  [[nodiscard]] const Reader* reader(std::string_view name);

 private:
  LoadedPlugin& load(const FoundPlugin& found);
  /// Throws ConfigError when the reader is itself about to be activated.
  void check_circle(std::string_view name) const;

  const Config& config_;
  Log& log_;
  unsigned threads_;
  std::vector<FoundPlugin> found_;
  std::vector<std::unique_ptr<LoadedPlugin>> loaded_;  ///< in the order of their activation
  std::vector<LoadedPlugin*> activating_;              ///< each on behalf of the one before
};

}  // namespace stoq::engine
