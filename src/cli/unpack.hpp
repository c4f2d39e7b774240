/// Takes an archive of a plugin package apart.
#pragma once

#include <filesystem>

#include "cli/child_program.hpp"

namespace stoq::cli {

/// Writes the folders and files of a tar (compressed or not), zip, 7z or cpio archive into
/// `folder`, which must be empty and nobody else's. An archive that holds links, special files, or
/// names that lead out of the folder is refused whole. Throws ConfigError, IoError, Interrupted.
void unpack(const std::filesystem::path& archive, const std::filesystem::path& folder,
            ChildPrograms& programs);

}  // namespace stoq::cli
