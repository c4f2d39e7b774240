#include "inflate.hpp"

#include <algorithm>
#include <limits>
#include <new>

#define ZLIB_CONST
#include <libdeflate.h>
#include <zlib.h>

#include "stream.hpp"

namespace stoq::common {
namespace {

/// Deflate cannot expand by more; a claim beyond it is a lie not worth allocating for.
constexpr std::size_t most_expansion = 1032;

class ZlibDecoder : public StreamDecoder {
 public:
  explicit ZlibDecoder(Framing framing) {
    if (inflateInit2(&stream_, window_bits(framing)) != Z_OK) throw std::bad_alloc();
  }
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;
  ~ZlibDecoder() override { inflateEnd(&stream_); }

  Step step(ByteView in, std::span<std::byte> out) override {
    const auto in_size = std::min<std::size_t>(in.size(), std::size_t{1} << 30);
    stream_.next_in = data_as<Bytef>(in);
    stream_.avail_in = static_cast<uInt>(in_size);
    stream_.next_out = data_as<Bytef>(out);
    stream_.avail_out = static_cast<uInt>(out.size());
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    Step done{in_size - stream_.avail_in, out.size() - stream_.avail_out};
    if (code == Z_STREAM_END) {
      done.state = Step::State::end;
    } else if (code == Z_NEED_DICT) {
      done.state = Step::State::unsupported;
      done.reason = "deflate data needs a preset dictionary";
    } else if (code == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      done.state = Step::State::corrupt;
      done.reason = stream_.msg != nullptr ? stream_.msg : "invalid deflate data";
    }
    return done;
  }

 private:
  static int window_bits(Framing framing) noexcept {
    switch (framing) {
      case Framing::raw:
        return -MAX_WBITS;
      case Framing::zlib:
        return MAX_WBITS;
      case Framing::gzip:
        break;
    }
    return MAX_WBITS + 16;
  }

  z_stream stream_{};
};

}  // namespace

struct Inflater::Decompressor {
  Decompressor() : handle(libdeflate_alloc_decompressor()) {
    if (handle == nullptr) throw std::bad_alloc();
  }
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  ~Decompressor() { libdeflate_free_decompressor(handle); }

  libdeflate_decompressor* handle;
};

Inflater::Inflater() = default;
Inflater::~Inflater() = default;

std::size_t Inflater::inflate_whole(ByteView in, Framing framing, std::size_t hint,
                                    Buffer& out) const {
  const auto room = out.prepare(hint);
  const auto lease = decompressors_.lease();
  std::size_t taken = 0;
  std::size_t made = 0;
  const auto run = [&](auto* function) {
    return function(lease->handle, in.data(), in.size(), room.data(), room.size(), &taken, &made);
  };
  auto code = LIBDEFLATE_BAD_DATA;
  switch (framing) {
    case Framing::raw:
      code = run(libdeflate_deflate_decompress_ex);
      break;
    case Framing::zlib:
      code = run(libdeflate_zlib_decompress_ex);
      break;
    case Framing::gzip:
      code = run(libdeflate_gzip_decompress_ex);
      break;
  }
  if (code != LIBDEFLATE_SUCCESS) return 0;
  out.commit(made);
  return taken;
}

std::size_t Inflater::inflate(ByteView in, Framing framing, std::uint64_t hint, Buffer& out,
                              const Request& request) const {
  if (hint > 0 && hint <= out.remaining() && hint / most_expansion <= in.size()) {
    const auto taken = inflate_whole(in, framing, hint, out);
    if (taken > 0) return taken;
  }
  // Broken, larger than claimed, or beyond a limit: go in steps, so that what can be had is had.
  ZlibDecoder decoder(framing);
  return pump(decoder, in, out, request);
}

std::uint32_t crc32(ByteView bytes, std::uint32_t before) noexcept {
  return libdeflate_crc32(before, bytes.data(), bytes.size());
}

}  // namespace stoq::common
