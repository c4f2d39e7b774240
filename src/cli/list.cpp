#include <algorithm>
#include <iostream>
#include <string>

#include "cli/commands.hpp"
#include "cli/text_table.hpp"
#include "engine/run.hpp"

namespace stoq::cli {
namespace {

constexpr std::size_t widest_description = 100;

/// The first sentence: `stoq info` tells the rest.
std::string brief(const std::string& text) {
  auto end = std::min(text.find(". "), text.find('\n'));
  return shown(text.substr(0, end), widest_description);
}

}  // namespace

int list(const Arguments& arguments) {
  const auto plugins = engine::list_plugins(arguments.config);
  if (plugins.empty()) {
    std::cerr << "stoq: no plugins found; name their folder with --plugin-dir or "
                 "$STOQ_PLUGIN_PATH\n";
    return 2;
  }
  TextTable table({Align::left, Align::left, Align::left});
  for (const auto& plugin : plugins) {
    const auto name = std::string(to_string(plugin.category)) + ":" + plugin.name;
    const auto text = plugin.problem.empty() ? brief(plugin.description)
                                             : "cannot be used: " + shown(plugin.problem, 200);
    table.add({shown(name, 60), shown(plugin.version, 20), text});
  }
  for (const auto& line : table.lines()) std::cout << line << '\n';
  return 0;
}

}  // namespace stoq::cli
