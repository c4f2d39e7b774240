/// Finds, loads and activates a plugin of the build for a test.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <stoq/testing.hpp>

#include "engine/plugin_library.hpp"
#include "support/ini.hpp"

namespace stoq::testing {

/// Where a plugin's parts stand.
struct PluginPlace {
  std::string category, name;

  [[nodiscard]] std::filesystem::path source() const;   ///< its folder below plugins/
  [[nodiscard]] std::filesystem::path library() const;  ///< the .so
  [[nodiscard]] std::filesystem::path stoq() const;     ///< the .stoq beside it
  [[nodiscard]] std::filesystem::path tests() const;    ///< its folder below tests/plugins/
  [[nodiscard]] std::filesystem::path input(const std::string& file = {}) const;
};

/// Every plugin folder of the source tree, in order.
[[nodiscard]] std::vector<PluginPlace> all_plugins();

/// What activate() reads, also when it then refuses because an option it needs is not set.
[[nodiscard]] Options read_options(const PluginPlace& place, const Options::Map& options = {});

/// An activated instance; deactivated at the end.
class LoadedPlugin {
 public:
  /// Lays `options` over the .stoq file. Throws what loading and activate() throw.
  explicit LoadedPlugin(const PluginPlace& place, const Options::Map& options = {});
  LoadedPlugin(const LoadedPlugin&) = delete;
  LoadedPlugin& operator=(const LoadedPlugin&) = delete;
  ~LoadedPlugin() { plugin_->deactivate(); }

  /// The plugin as its category: `plugin.as<stoq::Worker>()`. Throws std::bad_cast.
  template <class T>
  [[nodiscard]] T& as() const {
    return dynamic_cast<T&>(*plugin_);
  }
  [[nodiscard]] Category category() const noexcept { return category_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] QuietHost& host() noexcept { return host_; }

 private:
  QuietHost host_;
  Options options_;
  Category category_{};
  std::unique_ptr<Plugin> plugin_;
};

}  // namespace stoq::testing
