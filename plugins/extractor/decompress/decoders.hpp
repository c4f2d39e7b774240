/// The stream decompressors of the C libraries as StreamDecoders.
#pragma once

#include <memory>
#include <string_view>

#include <stoq/bytes.hpp>

#include "stream.hpp"

namespace decompress {

enum class Format {
  unknown,
  gzip,
  zlib,
  bzip2,
  xz,
  lzma,
  lzip,
  zstd,
  lz4,
  lz4_legacy,
  compress,
  lzop
};

/// The format by its first bytes.
Format recognise(stoq::ByteView bytes) noexcept;
/// Whether another stream or frame of `format` begins here; looks no further than its magic.
bool goes_on(stoq::ByteView rest, Format format) noexcept;
/// The format a dispatch rule names; unknown when it is none of ours.
Format by_name(std::string_view name) noexcept;
std::string_view name_of(Format format) noexcept;

/// A decoder for the next stream (bzip2), frame (zstd, lz4) or run of streams (xz, lzma, lzip: they
/// join their streams themselves). Null for the formats that go another way.
std::unique_ptr<stoq::common::StreamDecoder> make_decoder(Format format);

}  // namespace decompress
