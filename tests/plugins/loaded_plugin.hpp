/// Finds, loads and activates a plugin of the build for a test.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/testing.hpp>

#include "engine/plugin_library.hpp"
#include "support/ini.hpp"
#include "support/json.hpp"

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

/// Whether it needs a library that was not there when this was built.
[[nodiscard]] bool is_left_out(const PluginPlace& place);
/// Every plugin of the source tree that could be built, in order.
[[nodiscard]] std::vector<PluginPlace> all_plugins();

/// What activate() reads, also when it then refuses because an option it needs is not set.
[[nodiscard]] Options read_options(const PluginPlace& place, const Options::Map& options = {});

class LoadedPlugin;

/// A host with the readers of the build, each as its .stoq file says, that reads JSON as the
/// engine's does.
class BuiltHost : public QuietHost {
 public:
  BuiltHost();
  ~BuiltHost() override;
  [[nodiscard]] const Reader* reader(std::string_view name) override;
  [[nodiscard]] Value parse_json(std::string_view text) const override {
    return support::parse_json(text);
  }

 private:
  std::vector<std::unique_ptr<LoadedPlugin>> loaded_;
};

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
  BuiltHost host_;
  Options options_;
  Category category_{};
  std::unique_ptr<Plugin> plugin_;
};

}  // namespace stoq::testing
