#include "engine/plugin_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace stoq::engine {
namespace {

constexpr std::array<std::string_view, 3> options_of_all{"max_tlp", "min_stoq_version",
                                                         "max_stoq_version"};
constexpr std::array<std::string_view, 5> options_of_workers{
    "hashpayload", "saveresults", "type_list", "max_size", "needs_payload"};

using Version = std::vector<unsigned>;

/// "0.10.3"; trailing zeros say nothing.
std::optional<Version> parse_version(std::string_view text) {
  Version version;
  const auto* next = text.data();
  const auto* const end = next + text.size();
  for (;;) {
    unsigned number = 0;
    const auto [rest, failure] = std::from_chars(next, end, number);
    if (failure != std::errc{}) return {};
    version.push_back(number);
    if (rest == end) break;
    if (*rest != '.') return {};
    next = rest + 1;
  }
  while (!version.empty() && version.back() == 0) version.pop_back();
  return version;
}

/// The version that `key` names; nothing when it is not set.
std::optional<Version> read_version(Options& options, const char* key, const char* help) {
  const auto text = options.get(key, "", help);
  if (text.empty()) return {};
  auto version = parse_version(text);
  if (!version) options.refuse(key, "a version such as 0.10.3");
  return version;
}

void check_version(Options& options, const FoundPlugin& plugin, Log& log) {
  const auto least = read_version(options, "min_stoq_version", "oldest stoq it is for");
  const auto above = read_version(options, "max_stoq_version", "stoq before which it is for");
  const auto own = parse_version(STOQ_VERSION);
  const bool too_old = least && *own < *least;
  if (!too_old && !(above && *own >= *above)) return;
  log.write(LogLevel::warning, plugin.qualified(),
            plugin.file.string() + ": written for stoq " + (too_old ? "from " : "before ") +
                options.get(too_old ? "min_stoq_version" : "max_stoq_version", "", "") +
                (too_old ? " on" : "") +
                ", this is " STOQ_VERSION "; results may be unpredictable");
}

Tlp read_max_tlp(Options& options) {
  const auto word = options.get("max_tlp", "red", "most restricted payload it is shown");
  const auto level = parse_tlp(word);
  if (!level) options.refuse("max_tlp", "white (or clear), green, amber or red");
  return *level;
}

std::uint64_t read_max_size(Options& options) {
  const auto text = options.get("max_size", "", "largest payload it wants; empty: any");
  if (text.empty()) return UINT64_MAX;
  const auto size = parse_size(text);
  if (!size) options.refuse("max_size", "a size such as 65536, 64K or 1.5G");
  return *size;
}

}  // namespace

Options::Settings settings_of(const FoundPlugin& plugin, const Config& config, Log& log) {
  Options::Settings settings;
  const auto lay = [&](const PluginOptions& layer) {
    for (const auto& name : {plugin.name, plugin.qualified()}) {
      const auto options = layer.find(name);
      if (options == layer.end()) continue;
      for (const auto& [key, setting] : options->second) settings[key] = setting;
    }
  };
  lay(config.base_options);
  for (const auto& [key, value] : plugin.ini.section("options")) {
    const auto place = plugin.ini.where("options", key);
    if (const auto base = settings.find(key);
        base != settings.end() && base->second.value != value) {
      log.write(LogLevel::warning, plugin.qualified(),
                base->second.place + ": '" + key + "' is not in force, because " + place +
                    " sets it too; change it there, or give --option " + plugin.qualified() + "." +
                    key + "=" + base->second.value);
    }
    settings[key] = {value, place};
  }
  lay(config.options);
  return settings;
}

bool is_engine_option(Category category, std::string_view key) {
  const auto in = [&](const auto& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  return in(options_of_all) || (category == Category::worker && in(options_of_workers)) ||
         (category == Category::source && key == "multiprocess");
}

EngineOptions read_engine_options(Options& options, const FoundPlugin& plugin, Log& log) {
  EngineOptions read;
  if (plugin.category == Category::worker) {
    read.hash_payload = options.get("hashpayload", true, "record the digests of files themselves");
    read.save_results = options.get("saveresults", true, "record what it says");
    read.types = options.get_list("type_list", "payload types it wants; empty: all");
    read.max_size = read_max_size(options);
    read.needs_payload = options.get("needs_payload", true,
                                     "false: its command runs it once where no file is named");
  }
  if (plugin.category == Category::source) {
    read.multiprocess = options.get("multiprocess", false,
                                    "several instances may run at a time (--source-instances)");
  }
  read.max_tlp = read_max_tlp(options);
  check_version(options, plugin, log);
  return read;
}

void set_engine_options(Options::Settings& settings, const Options& read) {
  for (const auto& option : read.declared()) {
    const bool any_size = option.key == "max_size" && option.value.empty();
    settings[option.key] = {any_size ? std::to_string(UINT64_MAX) : option.value, option.place};
  }
}

}  // namespace stoq::engine
