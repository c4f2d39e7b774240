#include <iostream>

#include "cli/commands.hpp"
#include "cli/summary.hpp"
#include "cli/watched_run.hpp"

namespace stoq::cli {

int scan(const Arguments& arguments) {
  const auto summary = run_watched(arguments);
  if (arguments.summary) std::cerr << format_summary(summary, arguments.config);
  return summary.exit_code();
}

int graph(const Arguments& arguments) {
  check_plugin_names(arguments.config);
  const engine::Run run(arguments.config);
  std::cout << run.to_dot();
  return 0;
}

}  // namespace stoq::cli
