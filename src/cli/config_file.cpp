#include "cli/config_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/arguments.hpp"
#include "cli/config_keys.hpp"
#include "cli/worker_command.hpp"
#include "support/ini.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view plugin_prefix = "plugin:";

/// `max_depth` and `max-depth` are the same option.
std::string option_name(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return key;
}

std::vector<std::string> parts_of(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    auto part = text.substr(0, end);
    part.remove_prefix(std::min(part.find_first_not_of(" \t\n"), part.size()));
    part = part.substr(0, part.find_last_not_of(" \t\n") + 1);
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

/// A section's key that is to be applied.
struct Entry {
  std::string place, key, value;
};

class Reading {
 public:
  Reading(const CLI::App& scan, CLI::App& command, Given& given)
      : scan_(scan), command_(command), given_(given) {}

  void apply(const Entry& entry) {
    const auto* known =
        std::find_if(config_keys.begin(), config_keys.end(),
                     [&](const ConfigKey& candidate) { return candidate.key == entry.key; });
    if (known == config_keys.end()) {
      check_known(entry);
      set(entry, option_name(entry.key), parts_of(entry.value, '\n'));
    } else if (!known->plugin.empty()) {
      auto& options = given_.arguments.config.base_options[std::string(known->plugin)];
      options.emplace(entry.key, Options::Setting{entry.value, entry.place});
    } else if (known->option.empty()) {
      given_.arguments.warnings.push_back(entry.place + ": '" + entry.key +
                                          "' is not used: " + std::string(known->instead));
    } else {
      auto values = parts_of(entry.value, known->list ? ',' : '\n');
      for (auto& value : values) value += known->tail;
      set(entry, std::string(known->option), std::move(values));
    }
  }

 private:
  void check_known(const Entry& entry) const {
    std::vector<std::string> keys;
    for (const auto* option : scan_.get_options()) {
      for (const auto& name : option->get_lnames()) {
        if (name != "help" && name != "config") keys.push_back(name);
      }
    }
    const auto name = option_name(entry.key);
    if (std::find(keys.begin(), keys.end(), name) != keys.end()) return;
    for (const auto& key : config_keys) keys.push_back(option_name(std::string(key.key)));
    const auto near = support::nearest(name, keys);
    throw UsageError(entry.place + ": unknown key '" + entry.key + "'" +
                     (near.empty() ? "; the keys are the long options of 'stoq scan --help'"
                                   : "; did you mean '" + near + "'?"));
  }

  void set(const Entry& entry, const std::string& name, std::vector<std::string> values) {
    const bool scans = command_.get_option_no_throw("--connector") != nullptr;
    if (!scans && name != "plugin-dir" && name != "option") return;  // of no concern to it
    if (!given_.worker.empty() && name == "rules") return set_rules(entry, std::move(values));
    auto* option = command_.get_option_no_throw("--" + name);
    if (option == nullptr || option->get_group() == own_group) return;
    const auto before = given_.places.find(name);
    if (before != given_.places.end()) {
      throw UsageError(entry.place + ": '" + entry.key + "' is set already, at " + before->second +
                       "; remove one");
    }
    if (option->count() != 0) return;  // the command line wins
    try {
      if (option->get_items_expected_max() == 0) {
        if (flag(entry)) option->add_result("true");
      } else {
        for (auto& value : values) option->add_result(std::move(value));
      }
      if (option->count() == 0) return;
      given_.places[name] = entry.place;
      option->run_callback();
    } catch (const CLI::ParseError& error) {
      throw UsageError(entry.place + ": " + error.what());
    }
  }

  /// The command of the worker yara has an argument of that name, those of others may have one too.
  void set_rules(const Entry& entry, std::vector<std::string> values) {
    given_.rules = std::move(values);
    given_.places["rules"] = entry.place;
  }

  static bool flag(const Entry& entry) {
    const auto word = support::lower(entry.value);
    if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
    if (word == "false" || word == "no" || word == "off" || word == "0") return false;
    throw UsageError(entry.place + ": '" + entry.key + "' is yes or no, not '" + entry.value + "'");
  }

  const CLI::App& scan_;
  CLI::App& command_;
  Given& given_;
};

std::vector<fs::path> usual_places() {
  std::vector<fs::path> places;
  std::error_code ignored;
  const auto program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  places.push_back(program / "stoq.cfg");
  const auto* const config_home = std::getenv("XDG_CONFIG_HOME");
  const auto* const home = std::getenv("HOME");
  if (config_home != nullptr && *config_home == '/') {
    places.push_back(fs::path(config_home) / "stoq/stoq.cfg");
  } else if (home != nullptr && *home == '/') {
    places.push_back(fs::path(home) / ".config/stoq/stoq.cfg");
  }
  places.push_back((program / "../etc/stoq/stoq.cfg").lexically_normal());
  places.emplace_back("/etc/stoq/stoq.cfg");
  return places;
}

}  // namespace

std::vector<std::string> plugin_dirs_of(const std::string& file) {
  const auto ini = support::Ini::read(file);
  for (const auto* section : {"core", "scan"}) {
    for (const auto* key : {"plugin_dir", "plugin-dir", "plugin_dir_list"}) {
      const char separator = std::string_view(key).ends_with("_list") ? ',' : '\n';
      if (auto dirs = parts_of(ini.get(section, key), separator); !dirs.empty()) return dirs;
    }
  }
  return {};
}

std::string find_config_file() {
  if (const auto* named = std::getenv("STOQ_CONFIG"); named != nullptr) return named;
  std::error_code ignored;
  for (const auto& place : usual_places()) {
    if (fs::exists(place, ignored)) return place.string();
  }
  return {};
}

void apply_config_file(const std::string& file, const CLI::App& scan, CLI::App& command,
                       Given& given) {
  const auto ini = support::Ini::read(file);
  given.arguments.config.config_file = file;
  Reading reading(scan, command, given);
  for (const auto& [section, keys] : ini.sections()) {
    for (const auto& [key, value] : keys) {
      const auto place = ini.where(section, key);
      if (section == "core" || section == "scan") {
        reading.apply({place, key, value});
      } else {
        const auto plugin =
            section.starts_with(plugin_prefix) ? section.substr(plugin_prefix.size()) : section;
        given.arguments.config.base_options[plugin][key] = {value, place};
      }
    }
  }
}

}  // namespace stoq::cli
