#include "engine/plugin_registry.hpp"

#include <algorithm>
#include <cstdint>

#include "engine/plugin_library.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace stoq::engine {
namespace {

/// What to tell the user when `found` could not be activated. A reason that names the .stoq file
/// names the line, and what was expected there.
ConfigError refusal(const FoundPlugin& found, const std::string& reason) {
  auto message = support::one_line(reason) + " (" + found.qualified();
  const auto file = found.file.string();
  if (reason.find(file) == reason.npos) {
    message += "; correct its options in " + file + " or by --option, or leave it out";
  }
  return ConfigError(message + ")");
}

std::unique_ptr<Plugin> activated(const PluginLibrary& library, const FoundPlugin& found,
                                  Options& options, Host& host) {
  const auto failed = [&](const std::string& what) {
    return refusal(found, "cannot be activated: " + what);
  };
  try {
    auto instance = library.create();
    instance->activate(options, host);
    return instance;
  } catch (const ConfigError& error) {
    throw refusal(found, error.what());
  } catch (const std::exception& error) {
    throw failed(error.what());
  } catch (...) {
    throw failed("it threw something that is no std::exception");
  }
}

void check_category(const PluginLibrary& library, const FoundPlugin& found) {
  if (library.category() == found.category) return;
  throw ConfigError(found.library.string() + " is a " + std::string(to_string(library.category())) +
                    " but lies in the folder of a " + std::string(to_string(found.category)) +
                    "; move its folder");
}

/// What the engine read, or what the plugin did: it may read the engine's own, too.
enum class Whose : std::uint8_t { engine, plugin };

void add_options(LoadedPlugin& plugin, const Options& options, Whose whose) {
  for (const auto& declared : options.declared()) {
    if (whose == Whose::plugin && is_engine_option(plugin.category, declared.key)) continue;
    plugin.options.push_back({declared.key, declared.value, declared.fallback, declared.help,
                              declared.place.empty() ? "default" : declared.place});
  }
}

void check_unknown(const LoadedPlugin& plugin, const Options& options,
                   const Options::Settings& settings) {
  auto unknown = options.unknown();
  std::erase_if(unknown, [&](const auto& key) { return is_engine_option(plugin.category, key); });
  if (unknown.empty()) return;
  std::vector<std::string> keys;
  for (const auto& option : plugin.options) keys.push_back(option.key);
  const auto& key = unknown.front();
  const auto near = support::nearest(key, keys);
  throw ConfigError(settings.at(key).place + ": " + plugin.qualified + " has no option '" + key +
                    "'; " +
                    (near.empty() ? "'stoq info " + plugin.qualified + "' lists its options"
                                  : "did you mean '" + near + "'?"));
}

/// Arguments that set options the plugin does not have would be refused when they are used: rather
/// at once, where they are written.
void check_arguments(const LoadedPlugin& plugin, const FoundPlugin& found) {
  std::vector<std::string> keys;
  for (const auto& option : plugin.options) keys.push_back(option.key);
  for (const auto& argument : found.arguments) {
    if (std::find(keys.begin(), keys.end(), argument.option) != keys.end()) continue;
    const auto near = support::nearest(argument.option, keys);
    throw ConfigError(argument.place + ": --" + argument.name + " sets '" + argument.option +
                      "', but " + plugin.qualified + " has no such option; " +
                      (near.empty() ? "remove the line" : "did you mean '" + near + "'?"));
  }
}

}  // namespace

PluginRegistry::PluginRegistry(const Config& config, Log& log, unsigned threads)
    : config_(config), log_(log), threads_(threads), found_(find_plugins(config.plugin_dirs)) {}

PluginRegistry::~PluginRegistry() {
  for (auto plugin = loaded_.rbegin(); plugin != loaded_.rend(); ++plugin) {
    if ((*plugin)->instance) (*plugin)->instance->deactivate();
  }
  while (!loaded_.empty()) loaded_.pop_back();
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

LoadedPlugin& PluginRegistry::another(const LoadedPlugin& plugin) {
  const auto found = std::find_if(found_.begin(), found_.end(), [&](const FoundPlugin& one) {
    return one.category == plugin.category && one.name == plugin.name;
  });
  return load(*found);
}

LoadedPlugin& PluginRegistry::load(const FoundPlugin& found) {
  if (!found.problem.empty()) throw ConfigError(found.problem);
  const PluginLibrary library(found.library);
  check_category(library, found);
  auto plugin = std::make_unique<LoadedPlugin>();
  plugin->category = found.category;
  plugin->name = found.name;
  plugin->qualified = found.qualified();
  plugin->version = found.ini.get("Documentation", "version");
  plugin->host = std::make_unique<PluginHost>(log_, *this, threads_, plugin->qualified);

  auto settings = settings_of(found, config_, log_);
  Options for_engine(found.file.string(), settings, support::parse_json);
  plugin->engine = read_engine_options(for_engine, found, log_);
  set_engine_options(settings, for_engine);
  Options options(found.file.string(), settings, support::parse_json);
  activating_.push_back(plugin.get());
  try {
    plugin->instance = activated(library, found, options, *plugin->host);
  } catch (...) {
    activating_.pop_back();
    throw;
  }
  activating_.pop_back();
  loaded_.push_back(std::move(plugin));
  add_options(*loaded_.back(), options, Whose::plugin);
  add_options(*loaded_.back(), for_engine, Whose::engine);
  check_arguments(*loaded_.back(), found);
  check_unknown(*loaded_.back(), options, settings);
  return *loaded_.back();
}

void PluginRegistry::check_circle(std::string_view name) const {
  for (const auto* plugin : activating_) {
    if (plugin->category != Category::reader || plugin->name != name) continue;
    throw ConfigError(activating_.back()->qualified + " asks for " + plugin->qualified +
                      ", which waits for it: readers may not ask for each other; change one");
  }
}

const Reader* PluginRegistry::reader(std::string_view name) {
  const auto is_it = [&](const auto& plugin) {
    return plugin.category == Category::reader && plugin.name == name;
  };
  if (activating_.empty()) {
    const auto known = std::find_if(loaded_.begin(), loaded_.end(),
                                    [&](const auto& plugin) { return is_it(*plugin); });
    return known == loaded_.end() ? nullptr : dynamic_cast<const Reader*>((*known)->instance.get());
  }
  if (std::none_of(found_.begin(), found_.end(), is_it)) return nullptr;
  check_circle(name);
  const auto& loaded = need(Category::reader, name);
  auto& most = activating_.back()->engine.max_tlp;
  most = std::min(most, loaded.engine.max_tlp);
  return dynamic_cast<const Reader*>(loaded.instance.get());
}

const Reader* PluginHost::reader(std::string_view name) { return registry_.reader(name); }

}  // namespace stoq::engine
