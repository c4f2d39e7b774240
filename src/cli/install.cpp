#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

#include <stoq/error.hpp>

#include "cli/child_program.hpp"
#include "cli/commands.hpp"
#include "cli/package.hpp"
#include "cli/package_build.hpp"
#include "cli/plugin_place.hpp"
#include "cli/requirements.hpp"
#include "cli/temp_folder.hpp"
#include "cli/text_table.hpp"
#include "cli/unpack.hpp"
#include "engine/plugin_file.hpp"
#include "engine/plugin_library.hpp"

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

constexpr int interrupted_code = 130;

/// One step of the installation, for whoever watches.
void say(const std::string& text) { std::cout << "[+] " << shown(text, 1000) << std::endl; }

/// As the engine will find it.
void check_built(const fs::path& folder, Category category, const std::string& name) {
  try {
    const auto plugin = engine::read_plugin_file(category, folder / (name + ".stoq"));
    if (!plugin.problem.empty()) throw ConfigError(plugin.problem);
    const engine::PluginLibrary library(plugin.library);
    if (library.category() != category) {
      throw ConfigError("it is built as a " + std::string(to_string(category)) +
                        ", but its class is a " + std::string(to_string(library.category())) +
                        "; correct stoq_add_plugin() in CMakeLists.txt");
    }
  } catch (const Error& error) {
    // The folder is about to vanish; its name would mislead.
    std::string text = error.what();
    const auto prefix = folder.string() + "/";
    for (auto at = text.find(prefix); at != text.npos; at = text.find(prefix)) {
      text.erase(at, prefix.size());
    }
    throw ConfigError(name + " cannot be used, nothing is installed: " + text);
  }
}

void install_from(const Arguments& arguments, const fs::path& work, ChildPrograms& programs) {
  const fs::path given = arguments.file;
  say("Looking for plugin in " + given.string() + "...");
  auto folder = given;
  if (!fs::is_directory(given)) {
    folder = work / "package";
    fs::create_directory(folder);
    unpack(given, folder, programs);
  }
  const auto package = find_package(fs::absolute(folder).lexically_normal());
  const auto& name = package.name;
  say("Found a plugin named " + name);
  const PluginPlace place(arguments.config.plugin_dirs);
  require(read_requirements(package), arguments.with_requirements, (work / "packages").string(),
          programs);

  PackageBuild build(package, work, programs);
  const auto category = build.configure();
  const std::string word(to_string(category));
  say(name + "'s category is " + word);
  const auto text = engine::read_plugin_text(category, package.folder / name / (name + ".stoq"));
  if (!text.problem.empty()) throw ConfigError(text.problem);
  place.check_free(category, name, arguments.upgrade);
  say("Building " + name + "...");
  build.build();
  say(build.test() ? "Its tests pass" : "It has no tests");
  const auto staged = build.stage();
  check_built(staged, category, name);

  say("Installing " + name + " plugin into " + (place.folder() / word).string() + "...");
  programs.check();
  place.put(staged, category, name, arguments.upgrade);
  say("Install complete.");
  if (!place.searched()) {
    std::cout << "    stoq finds it with --plugin-dir " << shown(place.folder().string(), 1000)
              << ", or plugin_dir in stoq.cfg\n";
  }
}

}  // namespace

int install(const Arguments& arguments) {
  std::error_code failure;
  const auto status = fs::status(arguments.file, failure);
  if (!fs::exists(status)) {
    throw UsageError("'" + arguments.file +
                     "' is not there; name the folder or the archive of a package");
  }
  ChildPrograms programs;
  try {
    const TempFolder work(fs::temp_directory_path(), "stoq-install-");
    install_from(arguments, work.path(), programs);
    return 0;
  } catch (const Interrupted&) {
    std::cerr << "stoq: interrupted; nothing is installed\n";
    return interrupted_code;
  }
}

}  // namespace stoq::cli
