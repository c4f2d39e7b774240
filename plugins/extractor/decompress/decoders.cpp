#include "decoders.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <new>
#include <utility>

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace decompress {
namespace {

using stoq::ByteView;
using stoq::common::data_as;
using stoq::common::Step;
using stoq::common::StreamDecoder;

/// What a decoder may take for its dictionary or window: a header claims it.
constexpr std::uint64_t most_memory = std::uint64_t{256} << 20;
constexpr int most_window_log = 28;  // the same, as zstd counts
constexpr std::size_t most_input = std::size_t{1} << 30;

class Bzip2 : public StreamDecoder {
 public:
  Bzip2() {
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
  }
  Bzip2(const Bzip2&) = delete;
  Bzip2& operator=(const Bzip2&) = delete;
  ~Bzip2() override { BZ2_bzDecompressEnd(&stream_); }

  Step step(ByteView in, std::span<std::byte> out) override {
    const auto in_size = std::min(in.size(), most_input);
    // bzlib only reads next_in; its type knows no const.
    stream_.next_in =
        const_cast<char*>(data_as<char>(in));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    stream_.avail_in = static_cast<unsigned>(in_size);
    stream_.next_out = data_as<char>(out);
    stream_.avail_out = static_cast<unsigned>(out.size());
    const int code = BZ2_bzDecompress(&stream_);
    Step done{in_size - stream_.avail_in, out.size() - stream_.avail_out};
    if (code == BZ_STREAM_END) {
      done.state = Step::State::end;
    } else if (code == BZ_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (code != BZ_OK) {
      done.state = Step::State::corrupt;
      done.reason = code == BZ_DATA_ERROR_MAGIC ? "no bzip2 stream" : "bzip2 data fails its check";
    }
    return done;
  }

 private:
  bz_stream stream_{};
};

/// xz, lzma and lzip.
class Lzma : public StreamDecoder {
 public:
  explicit Lzma(Format format) {
    if (begin(format) != LZMA_OK) throw std::bad_alloc();
  }
  Lzma(const Lzma&) = delete;
  Lzma& operator=(const Lzma&) = delete;
  ~Lzma() override { lzma_end(&stream_); }

  Step step(ByteView in, std::span<std::byte> out) override {
    stream_.next_in = data_as<std::uint8_t>(in);
    stream_.avail_in = in.size();
    stream_.next_out = data_as<std::uint8_t>(out);
    stream_.avail_out = out.size();
    const auto code = lzma_code(&stream_, LZMA_FINISH);
    Step done{in.size() - stream_.avail_in, out.size() - stream_.avail_out};
    judge(code, done);
    return done;
  }

 private:
  lzma_ret begin(Format format) {
    if (format == Format::xz) {
      return lzma_stream_decoder(&stream_, most_memory, LZMA_CONCATENATED);
    }
    if (format == Format::lzip) return lzma_lzip_decoder(&stream_, most_memory, LZMA_CONCATENATED);
    return lzma_alone_decoder(&stream_, most_memory);
  }

  static void judge(lzma_ret code, Step& done) {
    const auto say = [&done](Step::State state, const char* reason) {
      done.state = state;
      done.reason = reason;
    };
    switch (code) {
      case LZMA_OK:
      case LZMA_BUF_ERROR:  // no progress: the caller sees it
      case LZMA_NO_CHECK:
      case LZMA_UNSUPPORTED_CHECK:  // the data can be had all the same
      case LZMA_GET_CHECK:
        return;
      case LZMA_STREAM_END:
        done.state = Step::State::end;
        return;
      case LZMA_MEM_ERROR:
        throw std::bad_alloc();
      case LZMA_MEMLIMIT_ERROR:
        return say(Step::State::unsupported, "dictionary of more than 256 MiB");
      case LZMA_OPTIONS_ERROR:
        return say(Step::State::unsupported, "filter or option unknown here");
      case LZMA_FORMAT_ERROR:
        return say(Step::State::corrupt, "no stream header");
      default:
        return say(Step::State::corrupt, "compressed data is broken");
    }
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class Zstd : public StreamDecoder {
 public:
  Zstd() : stream_(ZSTD_createDStream()) {
    if (!stream_) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(stream_.get(), ZSTD_d_windowLogMax, most_window_log);
  }

  Step step(ByteView in, std::span<std::byte> out) override {
    ZSTD_inBuffer source{in.data(), in.size(), 0};
    ZSTD_outBuffer target{out.data(), out.size(), 0};
    const auto code = ZSTD_decompressStream(stream_.get(), &target, &source);
    Step done{source.pos, target.pos};
    if (ZSTD_isError(code) == 0) {
      if (code == 0) done.state = Step::State::end;
      return done;
    }
    const auto error = ZSTD_getErrorCode(code);
    if (error == ZSTD_error_memory_allocation) throw std::bad_alloc();
    const bool lacking = error == ZSTD_error_frameParameter_windowTooLarge ||
                         error == ZSTD_error_dictionary_wrong ||
                         error == ZSTD_error_version_unsupported;
    done.state = lacking ? Step::State::unsupported : Step::State::corrupt;
    done.reason = ZSTD_getErrorString(error);
    return done;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const noexcept { ZSTD_freeDStream(stream); }
  };
  std::unique_ptr<ZSTD_DStream, Free> stream_;
};

class Lz4 : public StreamDecoder {
 public:
  Lz4() {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) {
      throw std::bad_alloc();
    }
    context_.reset(context);
  }

  Step step(ByteView in, std::span<std::byte> out) override {
    auto produced = out.size();
    auto consumed = in.size();
    const auto code =
        LZ4F_decompress(context_.get(), out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(code) != 0) {
      return {0, 0, Step::State::corrupt, LZ4F_getErrorName(code)};
    }
    return {consumed, produced, code == 0 ? Step::State::end : Step::State::more};
  }

 private:
  struct Free {
    void operator()(LZ4F_dctx* context) const noexcept { LZ4F_freeDecompressionContext(context); }
  };
  std::unique_ptr<LZ4F_dctx, Free> context_;
};

struct Known {
  Format format;
  std::string_view name, magic;
};

using namespace std::string_view_literals;  // magics hold zeros

constexpr std::array<Known, 11> all_formats = {{
    {Format::gzip, "gzip", "\x1f\x8b"sv},
    {Format::bzip2, "bzip2", "BZh"sv},
    {Format::xz, "xz",
     "\xfd"
     "7zXZ\0"sv},
    {Format::lzip, "lzip", "LZIP"sv},
    {Format::zstd, "zstd", "\x28\xb5\x2f\xfd"sv},
    {Format::lz4, "lz4", "\x04\x22\x4d\x18"sv},
    {Format::lz4_legacy, "lz4_legacy", "\x02\x21\x4c\x18"sv},
    {Format::compress, "compress", "\x1f\x9d"sv},
    {Format::lzop, "lzop", "\x89LZO\0\r\n\x1a\n"sv},
    {Format::zlib, "zlib", ""sv},
    {Format::lzma, "lzma", ""sv},
}};

/// A frame to be skipped, as zstd and lz4 both know it.
bool is_skippable(ByteView bytes) noexcept {
  return bytes.size() >= 8 && (bytes[0] & std::byte{0xf0}) == std::byte{0x50} &&
         stoq::as_chars(bytes.subspan(1, 3)) == "\x2a\x4d\x18"sv;
}

/// Such frames may stand first: look what comes after them.
ByteView past_skippable(ByteView bytes) noexcept {
  while (is_skippable(bytes)) {
    stoq::Cursor size(bytes.subspan(4, 4));
    const std::size_t count = size.le<std::uint32_t>();
    if (!stoq::fits(bytes, 8, count)) break;
    bytes = bytes.subspan(8 + count);
  }
  return bytes;
}

bool looks_like_zlib(ByteView bytes) noexcept {
  if (bytes.size() < 6) return false;
  const auto first = std::to_integer<unsigned>(bytes[0]);
  const auto second = std::to_integer<unsigned>(bytes[1]);
  return (first & 0x0fU) == 8 && first >> 4U <= 7 && (first * 256 + second) % 31 == 0;
}

/// No magic: lc/lp/pb as every encoder sets them, a dictionary of 2^n or 2^n + 2^(n-1), and a size
/// that is unknown or below 256 GiB (as xz's own detection has it).
bool looks_like_lzma(ByteView bytes) noexcept {
  if (bytes.size() < 13 || std::to_integer<unsigned>(bytes[0]) >= 9 * 5 * 5) return false;
  stoq::Cursor fields(bytes.subspan(1, 12));
  const auto dictionary = fields.le<std::uint32_t>();
  const auto size = fields.le<std::uint64_t>();
  const auto low_bit = dictionary & (~dictionary + 1);
  const bool usual = dictionary != 0 && (dictionary == low_bit || dictionary == 3 * low_bit);
  return (usual || dictionary == 0xffffffffU) &&
         (size == ~std::uint64_t{0} || size < std::uint64_t{1} << 38);
}

}  // namespace

Format recognise(ByteView bytes) noexcept {
  const auto after = past_skippable(bytes);
  if (after.size() != bytes.size()) {
    return stoq::as_chars(after).starts_with("\x04\x22\x4d\x18"sv) ? Format::lz4 : Format::zstd;
  }
  for (const auto& each : all_formats) {
    if (!each.magic.empty() && stoq::as_chars(bytes).starts_with(each.magic)) return each.format;
  }
  if (looks_like_lzma(bytes) && bytes[0] == std::byte{0x5d}) return Format::lzma;
  if (looks_like_zlib(bytes)) return Format::zlib;
  return looks_like_lzma(bytes) ? Format::lzma : Format::unknown;
}

bool goes_on(ByteView rest, Format format) noexcept {
  const bool joins = format == Format::gzip || format == Format::bzip2;
  const bool skips = format == Format::zstd || format == Format::lz4;
  if (skips && is_skippable(rest)) return true;
  if (!joins && !skips) return false;
  return std::any_of(all_formats.begin(), all_formats.end(), [=](const Known& each) {
    return each.format == format && stoq::as_chars(rest).starts_with(each.magic);
  });
}

Format by_name(std::string_view name) noexcept {
  const auto* const found = std::find_if(all_formats.begin(), all_formats.end(),
                                         [=](const Known& each) { return each.name == name; });
  return found == all_formats.end() ? Format::unknown : found->format;
}

std::string_view name_of(Format format) noexcept {
  const auto* const found = std::find_if(all_formats.begin(), all_formats.end(),
                                         [=](const Known& each) { return each.format == format; });
  return found == all_formats.end() ? "unknown" : found->name;
}

std::unique_ptr<StreamDecoder> make_decoder(Format format) {
  switch (format) {
    case Format::bzip2:
      return std::make_unique<Bzip2>();
    case Format::xz:
    case Format::lzma:
    case Format::lzip:
      return std::make_unique<Lzma>(format);
    case Format::zstd:
      return std::make_unique<Zstd>();
    case Format::lz4:
      return std::make_unique<Lz4>();
    default:
      return nullptr;
  }
}

}  // namespace decompress
