/// The decompressors of the C libraries, as far as 7z uses them.
#pragma once

#include <cstdint>
#include <memory>

#include <lzma.h>

#include <stoq/bytes.hpp>

#include "stream.hpp"

namespace archive_plugin::sevenzip {

using Decoder = std::unique_ptr<stoq::common::StreamDecoder>;

/// What one zstd decoder may take for its window: as much as zstd's own highest level uses.
inline constexpr std::uint64_t most_zstd_window = std::uint64_t{1} << 27U;

/// The last of `filters` is LZMA_VLI_UNKNOWN. Throws Unsupported.
[[nodiscard]] Decoder make_xz(const lzma_filter* filters);
[[nodiscard]] Decoder make_deflate();
[[nodiscard]] Decoder make_bzip2();
[[nodiscard]] Decoder make_zstd();
[[nodiscard]] Decoder make_lz4();
/// AES-256-CBC: a key of 32 bytes, an initial vector of 16. Throws Unsupported.
[[nodiscard]] Decoder make_aes(stoq::ByteView key, stoq::ByteView vector);

}  // namespace archive_plugin::sevenzip
