#include "cli/config_file.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/arguments.hpp"
#include "support/ini.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

constexpr std::string_view plugin_prefix = "plugin:";

/// `max_depth` and `max-depth` are the same option.
std::string option_name(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return key;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end != 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::vector<std::string> known_keys(const CLI::App& command) {
  std::vector<std::string> keys;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) {
      if (name != "help" && name != "config") keys.push_back(name);
    }
  }
  return keys;
}

void apply(const std::string& where, const std::string& key, const std::string& value,
           CLI::App& command) {
  const auto keys = known_keys(command);
  const auto name = option_name(key);
  if (std::find(keys.begin(), keys.end(), name) == keys.end()) {
    const auto near = support::nearest(name, keys);
    throw UsageError(where + ": unknown key '" + key + "'" +
                     (near.empty() ? "; the keys are the long options of 'stoq scan --help'"
                                   : "; did you mean '" + near + "'?"));
  }
  auto* option = command.get_option("--" + name);
  if (option->count() != 0) return;  // the command line wins
  try {
    if (option->get_items_expected_max() == 0) {
      if (value == "true" || value == "yes" || value == "on" || value == "1") {
        option->add_result("true");
      } else if (value != "false" && value != "no" && value != "off" && value != "0") {
        throw UsageError(where + ": '" + key + "' is yes or no, not '" + value + "'");
      }
    } else {
      for (auto& line : lines_of(value)) option->add_result(std::move(line));
    }
    if (option->count() != 0) option->run_callback();
  } catch (const CLI::ParseError& error) {
    throw UsageError(where + ": " + error.what());
  }
}

}  // namespace

void apply_config_file(const std::string& file, CLI::App* command, PluginOptions& options) {
  const auto ini = support::Ini::read(file);
  for (const auto& [section, keys] : ini.sections()) {
    if (section == "core" || section == "scan") {
      if (command == nullptr) continue;
      const auto where = file + ", section [" + section + "]";
      for (const auto& [key, value] : keys) apply(where, key, value, *command);
      continue;
    }
    const auto plugin =
        section.starts_with(plugin_prefix) ? section.substr(plugin_prefix.size()) : section;
    for (const auto& [key, value] : keys) options[plugin].emplace(key, value);
  }
}

}  // namespace stoq::cli
