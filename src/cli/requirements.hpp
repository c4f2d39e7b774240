/// The Debian packages that a plugin package needs.
#pragma once

#include <string>
#include <vector>

#include "cli/child_program.hpp"

namespace stoq::cli {

/// Sees to it that all of them are installed: by dpkg-query, and what is missing, when
/// `may_install`, by apt-get (through sudo, where this is not root). `scratch` is a file to write
/// to. Throws ConfigError with the command that installs what is missing; IoError; Interrupted.
void require(const std::vector<std::string>& names, bool may_install, const std::string& scratch,
             ChildPrograms& programs);

}  // namespace stoq::cli
