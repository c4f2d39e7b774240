#include <algorithm>
#include <fstream>
#include <iostream>
#include <thread>

#include <sys/ioctl.h>
#include <unistd.h>

#include <stoq/error.hpp>

#include "cli/bench_figures.hpp"
#include "cli/bench_output.hpp"
#include "cli/commands.hpp"
#include "cli/watched_run.hpp"

namespace stoq::cli {
namespace {

constexpr int interrupted_code = 130;
constexpr std::size_t usual_width = 80;

std::size_t width_of_terminal(int descriptor) {
  winsize size{};
  return ::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual_width;
}

void write_json(const std::string& path, const std::string& json) {
  if (path == "-") {
    std::cout << json;
    return;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << json;
  file.close();
  if (!file) throw IoError(path + ": the figures cannot be written");
}

}  // namespace

int bench(const Arguments& given) {
  auto arguments = given;
  auto& config = arguments.config;
  if (config.threads == 0) config.threads = std::max(1U, std::thread::hardware_concurrency());
  const auto listed = config.slowest;
  // Beyond those shown: the slowest of one run are not all among the slowest of the next.
  config.slowest *= 4;
  BenchFigures figures;
  bool interrupted = false;
  for (unsigned i = 0; i < arguments.warm_up + arguments.repeat && !interrupted; ++i) {
    const auto summary = run_watched(arguments);
    interrupted = summary.interrupted;
    if (i >= arguments.warm_up && !interrupted) figures.add(summary);
  }
  // Runs cut short are no measure; those before them are.
  if (figures.runs == 0) return interrupted_code;
  figures.finish(listed);
  if (!arguments.json.empty()) write_json(arguments.json, bench_json(figures, config));
  const bool taken = arguments.json == "-" || writes_to_stdout(config);
  if (arguments.summary) {
    (taken ? std::cerr : std::cout)
        << format_bench(figures, width_of_terminal(taken ? STDERR_FILENO : STDOUT_FILENO));
  }
  return interrupted ? interrupted_code : 0;
}

}  // namespace stoq::cli
