/// Inflates deflate data into a Buffer: by libdeflate in one go where the size is known well
/// enough, by zlib bit by bit where it is not or where the output must stop at a limit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <stoq/buffer.hpp>
#include <stoq/bytes.hpp>
#include <stoq/per_thread.hpp>
#include <stoq/plugin.hpp>

namespace stoq::common {

/// What stands around the deflate data: nothing, RFC 1950, RFC 1952.
enum class Framing { raw, zlib, gzip };

/// Thread-safe.
class Inflater {
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Appends to `out` what the one stream (or gzip member) at the start of `in` holds, and returns
  /// how many bytes of `in` it took. `hint` is the claimed size, 0 when unknown; it may lie.
  /// Checksums of the framing are verified. Throws as pump() does.
  std::size_t inflate(ByteView in, Framing framing, std::uint64_t hint, Buffer& out,
                      const Request& request) const;

 private:
  struct Decompressor;
  /// Bytes of `in` taken, or 0 when the quick way is closed and nothing was appended.
  std::size_t inflate_whole(ByteView in, Framing framing, std::size_t hint, Buffer& out) const;

  PerThread<Decompressor> decompressors_;
};

/// CRC-32 as in zip and gzip; `before` is that of what stands in front.
[[nodiscard]] std::uint32_t crc32(ByteView bytes, std::uint32_t before = 0) noexcept;

}  // namespace stoq::common
