#include <iostream>
#include <string>

#include "cli/commands.hpp"
#include "cli/text_table.hpp"
#include "engine/run.hpp"

namespace stoq::cli {
namespace {

void print(std::string_view label, const std::string& text) {
  if (text.empty()) return;
  std::cout << label << std::string(13 - label.size(), ' ') << shown(text, 1000) << '\n';
}

/// The plugin's own file without its folder, which stands above.
std::string origin_of(const engine::PluginInfo& plugin, const std::string& origin) {
  const auto folder = plugin.folder + "/";
  return origin.starts_with(folder) ? origin.substr(folder.size()) : origin;
}

void print_options(const engine::PluginInfo& plugin) {
  if (plugin.options.empty()) {
    std::cout << "\nIt has no options.\n";
    return;
  }
  TextTable table({Align::left, Align::left, Align::left, Align::left});
  table.add({"OPTION", "VALUE", "FROM", "MEANING"});
  for (const auto& option : plugin.options) {
    auto meaning = option.help;
    if (!option.fallback.empty() && option.value != option.fallback) {
      meaning += " [" + option.fallback + "]";
    }
    table.add({shown(option.key, 60), option.value.empty() ? "-" : shown(option.value, 60),
               shown(origin_of(plugin, option.origin), 200), shown(meaning, 200)});
  }
  std::cout << '\n';
  for (const auto& line : table.lines()) std::cout << line << '\n';
  std::cout << "\nSet one with --option " << plugin.name << '.' << plugin.options.front().key
            << "=VALUE, or in stoq.cfg:\n  [plugin:" << plugin.name << "]\n  "
            << plugin.options.front().key << " = VALUE\n";
}

void print_arguments(const engine::PluginInfo& plugin) {
  if (plugin.arguments.empty()) return;
  TextTable table({Align::left, Align::left, Align::left});
  table.add({"ARGUMENT", "SETS", "MEANING"});
  for (const auto& argument : plugin.arguments) {
    auto name = argument.letter == '\0' ? "" : std::string("-") + argument.letter + ", ";
    name += "--" + argument.name;
    if (!argument.metavar.empty()) name += " " + argument.metavar;
    table.add({shown(name, 60), shown(argument.option, 60), shown(argument.help, 200)});
  }
  std::cout << "\nAs a command, 'stoq " << shown(plugin.name, 100) << "', it takes:\n";
  for (const auto& line : table.lines()) std::cout << line << '\n';
}

}  // namespace

int info(const Arguments& arguments) {
  const auto plugin = engine::describe_plugin(arguments.config, arguments.plugin);
  std::cout << to_string(plugin.category) << ':' << shown(plugin.name, 100) << '\n';
  print("Version", plugin.version);
  print("Author", plugin.author);
  print("Website", plugin.website);
  print("Folder", plugin.folder);
  print("What it does", plugin.description);
  print("Problem", plugin.problem);
  if (plugin.problem.empty() || !plugin.options.empty()) print_options(plugin);
  print_arguments(plugin);
  return 0;
}

}  // namespace stoq::cli
