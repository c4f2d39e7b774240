/// Where plugins are installed, and how a plugin gets there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <stoq/plugin.hpp>

namespace stoq::cli {

class PluginPlace {
 public:
  /// The first folder that is searched for plugins: of `plugin_dirs`, of $STOQ_PLUGIN_PATH, of this
  /// installation. Throws IoError when nothing may be written there.
  explicit PluginPlace(const std::vector<std::string>& plugin_dirs);

  /// Throws ConfigError when there is a plugin of this name already, unless it is to be `upgrade`d.
  void check_free(Category category, const std::string& name, bool upgrade) const;
  /// Puts the folder in the plugin's place, whole or not at all. Runs that use the plugin it
  /// replaces go on with that.
  void put(const std::filesystem::path& staged, Category category, const std::string& name,
           bool upgrade) const;

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
  /// Whether a scan finds it without --plugin-dir.
  [[nodiscard]] bool searched() const;

 private:
  [[nodiscard]] std::filesystem::path target(Category category, const std::string& name) const;

  std::filesystem::path folder_;
};

}  // namespace stoq::cli
