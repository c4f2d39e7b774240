#include <exception>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/summary.hpp"
#include "cli/watch.hpp"
#include "cli/watched_run.hpp"

namespace stoq::cli {
namespace {

constexpr int cannot_run = 2;

int scan_once(const Arguments& arguments, bool& signalled) {
  const auto summary = run_watched(arguments, &signalled);
  if (arguments.summary) std::cerr << format_summary(summary, arguments.config) << std::flush;
  return summary.exit_code();
}

/// Until a signal comes. Plugins are activated anew for every run, and so read their rules and
/// lists again. What keeps a later run from its work may be gone by the next one.
int scan_again_and_again(const Arguments& arguments) {
  // Those that come between runs wait for wait().
  const SignalBlock block;
  bool signalled = false;
  int code = scan_once(arguments, signalled);
  while (!signalled) {
    if (arguments.summary) std::cerr << "\nNext run in " << arguments.cron << " s\n" << std::flush;
    if (block.wait(arguments.cron)) break;
    try {
      code = scan_once(arguments, signalled);
    } catch (const std::exception& error) {
      std::cerr << "stoq: " << error.what() << std::endl;
      code = cannot_run;
    }
  }
  return code;
}

}  // namespace

int scan(const Arguments& arguments) {
  if (arguments.cron > 0) return scan_again_and_again(arguments);
  bool signalled = false;
  return scan_once(arguments, signalled);
}

int graph(const Arguments& arguments) {
  check_plugin_names(arguments.config);
  const engine::Run run(arguments.config);
  std::cout << run.to_dot();
  return 0;
}

}  // namespace stoq::cli
