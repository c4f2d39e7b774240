/// Two methods of PKZIP that no library at hand reads: deflate64 (Windows' own zips of large files,
/// 7z) and implode (PKZIP 1). Bit by bit, for members that are rare and mostly old.
#pragma once

#include <cstdint>

#include <stoq/buffer.hpp>
#include <stoq/bytes.hpp>

namespace stoq::common {

/// Method 9: deflate with a window of 64 KiB and longer matches (APPNOTE 5.6). What is decoded
/// before a fault is committed before MalformedInput is thrown.
void inflate64(stoq::ByteView data, stoq::Buffer& out);

/// Method 6 (APPNOTE 5.3): `flags` are the member's, `size` what it claims to hold, which is where
/// it ends. Throws as inflate64.
void explode(stoq::ByteView data, std::uint16_t flags, std::uint64_t size, stoq::Buffer& out);

}  // namespace stoq::common
