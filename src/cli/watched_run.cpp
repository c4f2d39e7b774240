#include "cli/watched_run.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <unistd.h>

#include "cli/watch.hpp"
#include "support/text.hpp"

namespace stoq::cli {

bool writes_to_stdout(const engine::Config& config) {
  return config.connector == "stdout" || config.text_connector == "stdout";
}

namespace {

/// Progress is drawn for somebody who looks at standard error, and not between lines of results on
/// the same screen.
bool can_draw(const engine::Config& config) {
  const bool results_on_screen = writes_to_stdout(config) && ::isatty(STDOUT_FILENO) == 1;
  return ::isatty(STDERR_FILENO) == 1 && !results_on_screen;
}

}  // namespace

void check_plugin_names(const engine::Config& config) {
  if (config.options.empty() && config.base_options.empty()) return;
  std::vector<std::string> known;
  for (const auto& plugin : engine::list_plugins(config)) {
    known.push_back(plugin.name);
    known.push_back(std::string(to_string(plugin.category)) + ":" + plugin.name);
  }
  for (const auto* layer : {&config.options, &config.base_options}) {
    for (const auto& [name, options] : *layer) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const auto near = support::nearest(name, known);
      throw UsageError(
          options.begin()->second.place + ": options are set for '" + name +
          "', but there is no such plugin" +
          (near.empty() ? "; 'stoq list' shows what there is" : "; did you mean '" + near + "'?"));
    }
  }
}

engine::Summary run_watched(const Arguments& arguments, bool* signalled) {
  // In this order, so that no thread of the run takes the signals, and the watch ends before it.
  const SignalBlock block;
  std::optional<engine::Run> run;
  Watch watch(block, arguments.progress && can_draw(arguments.config));
  check_plugin_names(arguments.config);
  try {
    run.emplace(arguments.config);
    watch.follow(*run);
    auto summary = run->run();
    watch.finish();
    if (signalled != nullptr) *signalled = watch.interrupted();
    return summary;
  } catch (...) {
    watch.finish();
    if (signalled != nullptr) *signalled = watch.interrupted();
    throw;
  }
}

}  // namespace stoq::cli
