/// Finds plugins by their .stoq files, and checks those; nothing of a plugin runs.
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

#include "engine/plugin_arguments.hpp"
#include "support/ini.hpp"

namespace stoq::engine {

inline constexpr std::array categories{Category::worker, Category::connector, Category::reader,
                                       Category::source, Category::extractor, Category::carver,
                                       Category::decoder};

/// A plugin as found on disk.
struct FoundPlugin {
  Category category{};
  std::string name;
  std::filesystem::path file, folder,
      library;  ///< the .stoq file; where it lies; the .so beside it
  support::Ini ini;
  std::vector<PluginArgument> arguments;  ///< of a worker
  std::string problem;                    ///< why it cannot be used, in one line; empty when it can

  /// "category:name".
  [[nodiscard]] std::string qualified() const;
};

/// Reads a .stoq file and checks what must stand in it; `problem` says what does not. The library
/// need not be there yet.
[[nodiscard]] FoundPlugin read_plugin_text(Category category, const std::filesystem::path& file);
/// The same; the library must be there.
[[nodiscard]] FoundPlugin read_plugin_file(Category category, const std::filesystem::path& file);

/// Where plugins are looked for: `--plugin-dir`, $STOQ_PLUGIN_PATH, then the folders of this build
/// or installation, of which the first is where it keeps its own. They need not exist.
[[nodiscard]] std::vector<std::filesystem::path> search_folders(
    const std::vector<std::string>& extra_dirs);
/// Every plugin below the search folders. The first of a category and name wins.
[[nodiscard]] std::vector<FoundPlugin> find_plugins(const std::vector<std::string>& extra_dirs);

/// "extractor" → Category::extractor; nothing for other words.
[[nodiscard]] std::optional<Category> parse_category(std::string_view word);
/// "extractor:zip" → both parts. Throws ConfigError naming `origin`.
[[nodiscard]] std::pair<Category, std::string> parse_qualified(std::string_view text,
                                                               const std::string& origin);

}  // namespace stoq::engine
