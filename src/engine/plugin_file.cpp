#include "engine/plugin_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "support/text.hpp"

namespace stoq::engine {
namespace {

namespace fs = std::filesystem;

/// A key that must be set, as the plugin guide has it.
struct Required {
  std::string_view section, key, example;
};
constexpr std::array required_of_all{Required{"Core", "Name", "…"},
                                     Required{"Core", "Module", "…"},
                                     Required{"Documentation", "Author", "…"},
                                     Required{"Documentation", "Version", "0.1"},
                                     Required{"Documentation", "Website", "…"},
                                     Required{"Documentation", "Description", "…"}};
constexpr std::array required_of_workers{Required{"options", "hashpayload", "True"},
                                         Required{"options", "saveresults", "True"}};
constexpr std::array required_of_sources{Required{"options", "multiprocess", "False"}};

[[noreturn]] void refuse(const std::string& where, const std::string& reason) {
  throw ConfigError(where + ": " + reason);
}

void check_sections(const FoundPlugin& plugin) {
  std::vector<std::string> known{"Core", "Documentation", "options"};
  if (plugin.category == Category::worker) known.emplace_back("arguments");
  for (const auto& [name, section] : plugin.ini.sections()) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = support::nearest(name, known);
    if (name == "arguments") {
      refuse(plugin.file.string(),
             "[arguments] is for workers, whose names are commands; remove it");
    }
    refuse(plugin.file.string(),
           "unknown section [" + name + "]; " +
               (near.empty() ? "the sections are [Core], [Documentation] and [options]"
                             : "did you mean [" + near + "]?"));
  }
}

template <class Keys>
void check_keys(const FoundPlugin& plugin, const Keys& keys, const std::string& who) {
  for (const auto& [section, key, example] : keys) {
    if (!plugin.ini.get(section, support::lower(key)).empty()) continue;
    const std::string name(key);
    refuse(plugin.file.string(), "[" + std::string(section) + "] lacks '" + name + "', which " +
                                     who + " needs; add the line '" + name + " = " +
                                     std::string(example) + "'");
  }
}

/// Names stand in rules, on the command line and in records.
void check_name(const FoundPlugin& plugin) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  for (const auto* key : {"name", "module"}) {
    const auto value = plugin.ini.get("Core", key);
    if (value.find_first_not_of(allowed) == value.npos && value.front() != '.') continue;
    refuse(plugin.ini.where("Core", key), "'" + value + "' is no " + key +
                                              " of a plugin; write letters, digits, '_', '-'"
                                              " and '.' only");
  }
}

void find_in(const fs::path& folder, Category category, std::vector<FoundPlugin>& found) {
  std::error_code failure;
  std::vector<fs::path> files;
  for (const auto& plugin : fs::directory_iterator(folder, failure)) {
    for (const auto& file : fs::directory_iterator(plugin.path(), failure)) {
      if (file.path().extension() == ".stoq") files.push_back(file.path());
    }
  }
  std::sort(files.begin(), files.end());
  const auto before = found.size();
  for (const auto& file : files) {
    auto plugin = read_plugin_file(category, file);
    const auto same = std::find_if(found.begin(), found.end(), [&](const FoundPlugin& other) {
      return other.category == category && other.name == plugin.name;
    });
    if (same == found.end()) {
      found.push_back(std::move(plugin));
    } else if (static_cast<std::size_t>(same - found.begin()) >= before) {
      same->problem = "two plugins are called " + plugin.qualified() + " (" + same->file.string() +
                      " and " + plugin.file.string() + "); remove or rename one";
    }
  }
}

}  // namespace

std::string FoundPlugin::qualified() const { return std::string(to_string(category)) + ":" + name; }

FoundPlugin read_plugin_text(Category category, const fs::path& file) {
  FoundPlugin plugin;
  plugin.category = category;
  plugin.file = file;
  plugin.folder = file.parent_path();
  plugin.name = file.stem().string();
  try {
    plugin.ini = support::Ini::read(file);
    if (const auto name = plugin.ini.get("Core", "name"); !name.empty()) plugin.name = name;
    check_sections(plugin);
    check_keys(plugin, required_of_all, "every plugin");
    check_name(plugin);
    if (category == Category::worker) check_keys(plugin, required_of_workers, "every worker");
    plugin.arguments = read_arguments(plugin.ini);
    if (category == Category::source) check_keys(plugin, required_of_sources, "every source");
    plugin.library = plugin.folder / (plugin.ini.get("Core", "module") + ".so");
  } catch (const Error& error) {
    plugin.problem = error.what();
  }
  return plugin;
}

FoundPlugin read_plugin_file(Category category, const fs::path& file) {
  auto plugin = read_plugin_text(category, file);
  std::error_code unclear;  // then opening it tells
  if (plugin.problem.empty() && !fs::exists(plugin.library, unclear) && !unclear) {
    plugin.problem = file.string() + ": its library " + plugin.library.string() +
                     " is missing; build or install it, or remove the folder";
  }
  return plugin;
}

std::optional<Category> parse_category(std::string_view word) {
  for (const auto category : categories) {
    if (to_string(category) == word) return category;
  }
  return std::nullopt;
}

std::pair<Category, std::string> parse_qualified(std::string_view text, const std::string& origin) {
  const auto colon = text.find(':');
  const auto category = parse_category(text.substr(0, colon));
  if (!category || colon == text.npos || colon + 1 == text.size()) {
    throw ConfigError(origin + ": '" + std::string(text) +
                      "' is no plugin; write category:name, such as extractor:zip");
  }
  return {*category, std::string(text.substr(colon + 1))};
}

std::vector<fs::path> search_folders(const std::vector<std::string>& extra_dirs) {
  std::vector<fs::path> folders(extra_dirs.begin(), extra_dirs.end());
  if (const char* path = std::getenv("STOQ_PLUGIN_PATH"); path != nullptr) {
    std::string_view rest = path;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(':'), rest.size());
      if (end > 0) folders.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(rest.size(), end + 1));
    }
  }
  std::error_code ignored;
  const auto program = fs::read_symlink("/proc/self/exe", ignored);
  for (const auto* relative : {"../" STOQ_LIBDIR "/stoq/plugins", "../lib/stoq/plugins"}) {
    const auto folder = (program.parent_path() / relative).lexically_normal();
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(folder);
    }
  }
  return folders;
}

std::vector<FoundPlugin> find_plugins(const std::vector<std::string>& extra_dirs) {
  std::vector<FoundPlugin> found;
  for (const auto& folder : search_folders(extra_dirs)) {
    for (const auto category : categories) {
      find_in(folder / to_string(category), category, found);
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::pair(a.category, a.name) < std::pair(b.category, b.name);
  });
  return found;
}

}  // namespace stoq::engine
