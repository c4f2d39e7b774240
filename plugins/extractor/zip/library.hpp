/// What takes more than inflating a member: passwords, by libzip, and rarer methods, by libzip or,
/// where it knows no better, libarchive. Each member is given to them as a one-member archive made
/// around its data, so that they see no directory but a sound one, and need no lock.
#pragma once

#include <string>
#include <vector>

#include <stoq/buffer.hpp>
#include <stoq/bytes.hpp>
#include <stoq/plugin.hpp>

#include "directory.hpp"

namespace unzip {

/// A member's compressed bytes without their encryption.
struct Decrypted {
  std::vector<std::byte> bytes;  ///< no more than there are in the archive
  std::string problem;  ///< why they end early or are not to be trusted; empty: all is well
};

/// Decrypts with the first of `passwords` that fits; throws Encrypted when none does. `most` bounds
/// the work of finding out.
Decrypted decrypt(stoq::ByteView data, const Entry& entry,
                  const std::vector<std::string>& passwords, std::uint64_t most);

/// Writes the content of the member with this data, not encrypted, checked. Throws Unsupported when
/// neither library has the method, MalformedInput after what could be read.
void read_by_library(stoq::ByteView data, const Entry& entry, stoq::Buffer& out);

}  // namespace unzip
