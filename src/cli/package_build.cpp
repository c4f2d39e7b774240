#include "cli/package_build.hpp"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <iostream>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <unistd.h>

#include <stoq/error.hpp>

#include "cli/installation.hpp"
#include "cli/text_table.hpp"
#include "engine/plugin_file.hpp"

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t shown_lines = 25;
constexpr std::size_t widest_line = 400;

bool is_set(const char* variable) {
  const char* const value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool along_path(const std::string& program) {
  const char* const path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    if (::access((fs::path(rest.substr(0, end)) / program).c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

std::deque<std::string> last_lines(const std::string& path) {
  std::ifstream file(path);
  std::deque<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(shown(line, widest_line));
    if (lines.size() > shown_lines) lines.pop_front();
  }
  return lines;
}

/// A copy that outlives the build. Empty when none can be made.
std::string kept_log(const std::string& log, const std::string& name) {
  std::error_code failure;
  auto path = (fs::temp_directory_path() / ("stoq-install-" + name + "-XXXXXX.log")).string();
  const int file = ::mkstemps(path.data(), 4);
  if (file < 0) return {};
  ::close(file);
  fs::copy_file(log, path, fs::copy_options::overwrite_existing, failure);
  return failure ? "" : path;
}

}  // namespace

PackageBuild::PackageBuild(const Package& package, const fs::path& work, ChildPrograms& programs)
    : package_(package),
      work_(work),
      build_(work / "build"),
      log_((work / "log").string()),
      programs_(programs) {}

void PackageBuild::fail(const char* step) const {
  for (const auto& line : last_lines(log_)) std::cerr << "    " << line << '\n';
  const auto log = kept_log(log_, package_.name);
  throw IoError(std::string(step) + " " + package_.name + " failed, nothing is installed" +
                (log.empty() ? "" : "; all of the output is in " + log));
}

void PackageBuild::run(const char* step, Program program) {
  program.log = log_;
  // A compiler that is killed leaves its temporary files: they lie where all of this goes away.
  const auto temp = work_ / "temp";
  fs::create_directories(temp);
  program.environment.emplace_back("TMPDIR", temp.string());
  if (programs_.run(program) != 0) fail(step);
}

Category PackageBuild::configure() {
  // Below the folder that DESTDIR will name.
  std::vector<std::string> words{"cmake",
                                 "-S",
                                 package_.folder.string(),
                                 "-B",
                                 build_.string(),
                                 "-Dstoq_DIR=" + cmake_folder().string(),
                                 "-DSTOQ_PLUGIN_DIR=plugins",
                                 "-DCMAKE_INSTALL_PREFIX=/"};
  if (!is_set("CMAKE_BUILD_TYPE")) words.emplace_back("-DCMAKE_BUILD_TYPE=Release");
  if (!is_set("CMAKE_GENERATOR") && along_path("ninja")) words.emplace_back("-GNinja");
  run("configuring", {.words = std::move(words), .log = {}, .environment = {}});

  // stoq_add_plugin() has put the .stoq file where the library will lie.
  std::vector<std::string> found;
  std::optional<Category> own;
  for (const auto category : engine::categories) {
    std::error_code none;
    const auto folder = build_ / "lib/stoq/plugins" / to_string(category);
    for (const auto& plugin : fs::directory_iterator(folder, none)) {
      found.push_back(plugin.path().filename().string());
      if (found.back() == package_.name) own = category;
    }
  }
  const auto list = (package_.folder / "CMakeLists.txt").string();
  if (!own) {
    throw ConfigError(list + ": builds no plugin called " + package_.name +
                      "; add the line 'stoq_add_plugin(CATEGORY " + package_.name + ")'");
  }
  if (found.size() > 1)
    throw ConfigError(list + ": builds more than one plugin; a package holds one");
  category_ = to_string(*own);
  return *own;
}

void PackageBuild::build() {
  const auto jobs = std::max(1U, std::thread::hardware_concurrency());
  run("building",
      {.words = {"cmake", "--build", build_.string(), "--parallel", std::to_string(jobs)},
       .log = {},
       .environment = {}});
}

bool PackageBuild::test() {
  const auto list = (work_ / "tests").string();
  (void)programs_.run({.words = {"ctest", "--test-dir", build_.string(), "--show-only"},
                       .log = list,
                       .environment = {}});
  const auto lines = last_lines(list);
  if (std::find(lines.begin(), lines.end(), "Total Tests: 0") != lines.end()) return false;
  run("testing", {.words = {"ctest", "--test-dir", build_.string(), "--output-on-failure"},
                  .log = {},
                  .environment = {}});
  return true;
}

fs::path PackageBuild::stage() {
  const auto folder = work_ / "stage";
  run("installing", {.words = {"cmake", "--install", build_.string()},
                     .log = {},
                     .environment = {{"DESTDIR", folder.string()}}});
  return folder / "plugins" / category_ / package_.name;
}

}  // namespace stoq::cli
