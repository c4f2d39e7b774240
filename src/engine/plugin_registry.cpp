#include "engine/plugin_registry.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <system_error>

#include "engine/plugin_library.hpp"
#include "support/text.hpp"

namespace stoq::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::array categories{Category::worker, Category::connector, Category::reader,
                                Category::source, Category::extractor, Category::carver,
                                Category::decoder};
// Read by the engine itself, so no plugin declares them.
constexpr std::array<std::string_view, 8> engine_keys{
    "hashpayload", "saveresults", "max_tlp",          "multiprocess",
    "type_list",   "max_size",    "min_stoq_version", "max_stoq_version"};

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

FoundPlugin read_plugin(Category category, const fs::path& file) {
  FoundPlugin plugin;
  plugin.category = category;
  plugin.folder = file.parent_path();
  plugin.name = file.stem().string();
  try {
    plugin.ini = support::Ini::read(file);
    for (const auto* key : {"name", "module"}) {
      if (plugin.ini.get("Core", key).empty()) {
        throw ConfigError(file.string() + ": [Core] lacks '" + key + "'; add the line '" + key +
                          " = …'");
      }
    }
    plugin.name = plugin.ini.get("Core", "name");
    plugin.library = plugin.folder / (plugin.ini.get("Core", "module") + ".so");
    if (!fs::exists(plugin.library)) {
      throw ConfigError(file.string() + ": its library " + plugin.library.string() +
                        " is missing; build or install it, or remove the folder");
    }
  } catch (const Error& error) {
    plugin.problem = error.what();
  }
  return plugin;
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
    auto plugin = read_plugin(category, file);
    const auto same = std::find_if(found.begin(), found.end(), [&](const FoundPlugin& other) {
      return other.category == category && other.name == plugin.name;
    });
    if (same == found.end()) {
      found.push_back(std::move(plugin));
    } else if (static_cast<std::size_t>(same - found.begin()) >= before) {
      same->problem = "two plugins are called " + std::string(to_string(category)) + ":" +
                      plugin.name + " (" + same->folder.string() + " and " +
                      plugin.folder.string() + "); remove or rename one";
    }
  }
}

Tlp max_tlp_of(Options& options, const std::string& plugin) {
  const auto word = options.get("max_tlp", "red", "most restricted payload it is shown");
  const auto level = parse_tlp(word);
  if (!level) {
    throw ConfigError(plugin + ": max_tlp = '" + word + "' is none of white, green, amber, red");
  }
  return *level;
}

}  // namespace

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

PluginRegistry::PluginRegistry(const Config& config, Host& host)
    : config_(config), host_(host), found_(find_plugins(config.plugin_dirs)) {}

PluginRegistry::~PluginRegistry() {
  for (auto plugin = loaded_.rbegin(); plugin != loaded_.rend(); ++plugin) {
    if ((*plugin)->instance) (*plugin)->instance->deactivate();
  }
}

LoadedPlugin& PluginRegistry::need(Category category, std::string_view name) {
  for (const auto& plugin : loaded_) {
    if (plugin->category == category && plugin->name == name) return *plugin;
  }
  std::vector<std::string> others;
  for (const auto& plugin : found_) {
    if (plugin.category != category) continue;
    if (plugin.name == name) return load(plugin);
    others.push_back(plugin.name);
  }
  const auto near = support::nearest(name, others);
  throw ConfigError(
      "there is no " + std::string(to_string(category)) + " called '" + std::string(name) + "'" +
      (near.empty() ? "; 'stoq list' shows what there is" : "; did you mean '" + near + "'?"));
}

std::map<std::string, std::string> PluginRegistry::given_options(const FoundPlugin& found) const {
  std::map<std::string, std::string> given;
  const auto qualified = std::string(to_string(found.category)) + ":" + found.name;
  for (const auto& name : {found.name, qualified}) {
    if (const auto options = config_.options.find(name); options != config_.options.end()) {
      for (const auto& [key, value] : options->second) given[key] = value;
    }
  }
  return given;
}

LoadedPlugin& PluginRegistry::load(const FoundPlugin& found) {
  if (!found.problem.empty()) throw ConfigError(found.problem);
  const PluginLibrary library(found.library);
  auto plugin = std::make_unique<LoadedPlugin>();
  plugin->category = found.category;
  plugin->name = found.name;
  plugin->qualified = std::string(to_string(found.category)) + ":" + found.name;
  plugin->version = found.ini.get("Documentation", "version");
  if (library.category() != found.category) {
    throw ConfigError(found.library.string() + " is a " +
                      std::string(to_string(library.category())) + " but lies in the folder of a " +
                      std::string(to_string(found.category)) + "; move its folder");
  }
  const auto& in_file = found.ini.section("options");
  Options::Map values(in_file.begin(), in_file.end());
  const auto given = given_options(found);
  for (const auto& [key, value] : given) values[key] = value;
  Options engine_options(found.name + ".stoq", values);
  plugin->types = engine_options.get_list("type_list", "payload types the worker wants");
  plugin->max_size = engine_options.get_size("max_size", UINT64_MAX, "largest payload it wants");
  plugin->max_tlp = max_tlp_of(engine_options, found.name);
  for (const auto key : engine_keys) values.erase(std::string(key));

  Options options(found.name + ".stoq", std::move(values));
  auto instance = library.create();
  instance->activate(options, host_);
  plugin->instance = std::move(instance);
  std::vector<std::string> keys;
  for (const auto& declared : options.declared()) {
    keys.push_back(declared.key);
    const auto* origin = given.contains(declared.key)                  ? "command line"
                         : in_file.find(declared.key) != in_file.end() ? "the .stoq file"
                                                                       : "default";
    plugin->options.push_back(
        {declared.key, declared.value, declared.fallback, declared.help, origin});
  }
  loaded_.push_back(std::move(plugin));
  if (const auto unknown = options.unknown(); !unknown.empty()) {
    const auto near = support::nearest(unknown.front(), keys);
    throw ConfigError(loaded_.back()->qualified + " has no option '" + unknown.front() + "'" +
                      (near.empty() ? "; 'stoq info " + found.name + "' lists its options"
                                    : "; did you mean '" + near + "'?"));
  }
  return *loaded_.back();
}

const Reader* PluginRegistry::reader(std::string_view name) const noexcept {
  for (const auto& plugin : loaded_) {
    if (plugin->category == Category::reader && plugin->name == name) {
      return dynamic_cast<const Reader*>(plugin->instance.get());
    }
  }
  return nullptr;
}

}  // namespace stoq::engine
