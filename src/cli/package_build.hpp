/// Configures, builds and tests a plugin package.
#pragma once

#include <filesystem>
#include <string>

#include <stoq/plugin.hpp>

#include "cli/child_program.hpp"
#include "cli/package.hpp"

namespace stoq::cli {

/// In a folder of its own, from which nothing is written elsewhere; $TMPDIR of what runs is within
/// it. Compiler, flags, generator and kind of build are those of the environment, as CMake reads it
/// ($CXX, $CXXFLAGS, $CMAKE_GENERATOR, $CMAKE_BUILD_TYPE [Release]). All methods throw IoError with
/// the end of what the failing program wrote, and Interrupted.
class PackageBuild {
 public:
  /// `work` must be empty.
  PackageBuild(const Package& package, const std::filesystem::path& work, ChildPrograms& programs);

  /// Returns the category that CMakeLists.txt gives the plugin. Throws ConfigError when it builds
  /// another plugin, or none.
  Category configure();
  void build();
  /// False when the package has no tests.
  bool test();
  /// The plugin as it is to be installed, in a folder called by its name.
  std::filesystem::path stage();

 private:
  void run(const char* step, Program program);
  [[noreturn]] void fail(const char* step) const;

  const Package& package_;
  std::filesystem::path work_, build_;
  std::string log_;
  ChildPrograms& programs_;
  std::string category_;
};

}  // namespace stoq::cli
