/// What takes more than inflating a member: passwords and rarer methods, by libzip, and by
/// libarchive where libzip knows no better. Each member is given to them as a one-member archive
/// made around its data, so that they see no directory but a sound one, and need no lock.
#pragma once

#include <string>
#include <vector>

#include <stoq/buffer.hpp>
#include <stoq/bytes.hpp>
#include <stoq/plugin.hpp>

#include "directory.hpp"

namespace unzip {

/// Writes the member's bytes. Throws Encrypted when none of `passwords` fits, Unsupported when
/// neither library has the method, MalformedInput after what could be read.
void read_by_library(stoq::ByteView archive, const Entry& entry,
                     const std::vector<std::string>& passwords, stoq::Buffer& out);

}  // namespace unzip
