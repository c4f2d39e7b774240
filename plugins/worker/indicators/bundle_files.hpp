/// Finds files of STIX.
#pragma once

#include <string>
#include <vector>

namespace stix {

/// The files named, and those below the folders named whose names end in .json, .xml or .stix, each
/// folder's in the order of their names. Throws stoq::ConfigError for what is not there.
[[nodiscard]] std::vector<std::string> bundle_files(const std::vector<std::string>& paths);

/// All of it. Throws stoq::ConfigError when it cannot be read.
[[nodiscard]] std::string read_file(const std::string& file);

}  // namespace stix
