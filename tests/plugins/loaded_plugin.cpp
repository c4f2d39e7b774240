#include "plugins/loaded_plugin.hpp"

#include <algorithm>
#include <tuple>

#include "engine/plugin_options.hpp"
#include "support/json.hpp"

namespace stoq::testing {
namespace {

namespace fs = std::filesystem;

/// What the [options] of the .stoq file set for the plugin; the engine reads the rest itself.
Options::Map own_options(const PluginPlace& place, const Options::Map& over) {
  const auto category = *engine::parse_category(place.category);
  Options::Map options;
  const auto ini = support::Ini::read(place.stoq());
  for (const auto& [key, value] : ini.section("options")) {
    if (!engine::is_engine_option(category, key)) options[key] = value;
  }
  for (const auto& [key, value] : over) options[key] = value;
  return options;
}

}  // namespace

bool is_left_out(const PluginPlace& place) {
  std::string all = STOQ_PLUGINS_LEFT_OUT;
  std::replace(all.begin(), all.end(), ';', ' ');
  return all.find(" " + place.category + "/" + place.name + " ") != all.npos;
}

BuiltHost::BuiltHost() = default;
BuiltHost::~BuiltHost() = default;

const Reader* BuiltHost::reader(std::string_view name) {
  if (const auto* const known = QuietHost::reader(name); known != nullptr) return known;
  const PluginPlace place{"reader", std::string(name)};
  if (!fs::exists(place.library())) return nullptr;
  loaded_.push_back(std::make_unique<LoadedPlugin>(place));
  return readers[place.name] = &loaded_.back()->as<Reader>();
}

fs::path PluginPlace::source() const { return fs::path(STOQ_SOURCE_PLUGINS) / category / name; }
fs::path PluginPlace::library() const {
  return fs::path(STOQ_BUILD_PLUGINS) / category / name / (name + ".so");
}
fs::path PluginPlace::stoq() const {
  return fs::path(STOQ_BUILD_PLUGINS) / category / name / (name + ".stoq");
}
fs::path PluginPlace::tests() const { return fs::path(STOQ_TEST_DATA) / category / name; }
fs::path PluginPlace::input(const std::string& file) const { return tests() / "input" / file; }

std::vector<PluginPlace> all_plugins() {
  constexpr std::array categories{Category::worker, Category::connector, Category::reader,
                                  Category::source, Category::extractor, Category::carver,
                                  Category::decoder};
  std::vector<PluginPlace> found;
  for (const auto category : categories) {
    const std::string word(to_string(category));
    const auto folder = fs::path(STOQ_SOURCE_PLUGINS) / word;
    if (!fs::is_directory(folder)) continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      PluginPlace place{word, entry.path().filename().string()};
      if (entry.is_directory() && !is_left_out(place)) found.push_back(std::move(place));
    }
  }
  std::sort(found.begin(), found.end(), [](const PluginPlace& a, const PluginPlace& b) {
    return std::tie(a.category, a.name) < std::tie(b.category, b.name);
  });
  return found;
}

Options read_options(const PluginPlace& place, const Options::Map& options) {
  BuiltHost host;
  Options read(place.category + ":" + place.name, own_options(place, options), support::parse_json);
  const auto plugin = engine::PluginLibrary(place.library()).create();
  try {
    plugin->activate(read, host);
    plugin->deactivate();
  } catch (const ConfigError& error) {
    host.log(LogLevel::info, error.what());
  }
  return read;
}

LoadedPlugin::LoadedPlugin(const PluginPlace& place, const Options::Map& options)
    : options_(place.category + ":" + place.name, own_options(place, options),
               support::parse_json) {
  const engine::PluginLibrary library(place.library());
  category_ = library.category();
  plugin_ = library.create();
  plugin_->activate(options_, host_);
}

}  // namespace stoq::testing
