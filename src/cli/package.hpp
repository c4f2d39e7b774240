/// A plugin package: a folder with CMakeLists.txt and, in a folder of the plugin's name, its .stoq
/// file and its source.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stoq::cli {

struct Package {
  std::filesystem::path folder;  ///< that of CMakeLists.txt
  std::string name;              ///< of the plugin
};

/// Finds the one plugin of a package. Throws ConfigError, saying what a package lacks.
[[nodiscard]] Package find_package(const std::filesystem::path& folder);

/// The Debian packages that requirements.txt names, one a line ('#' begins a comment); none when
/// there is no such file. Throws ConfigError.
[[nodiscard]] std::vector<std::string> read_requirements(const Package& package);

}  // namespace stoq::cli
