/// Undoes one layer of a one-file compressor. gzip and zlib go through libdeflate, the others
/// through their libraries' streams, .Z and the old lz4 format through libarchive's filters. The
/// dispatch rule may say which (`format = "xz"`); otherwise the first bytes do.
#include <algorithm>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <archive.h>
#include <archive_entry.h>

#include <stoq/plugin.hpp>

#include "decoders.hpp"
#include "inflate.hpp"
#include "names.hpp"

namespace {

using decompress::Format;
using stoq::ByteView;

/// What is left behind the last stream is padding, as on a tape.
bool all_zero(ByteView bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

/// libarchive's filters over bytes in memory.
class FilterReader {
 public:
  FilterReader(ByteView in, Format format) : reader_(archive_read_new()) {
    if (!reader_) throw std::bad_alloc();
    auto* const reader = reader_.get();
    archive_read_support_format_raw(reader);
    const int filter = format == Format::compress ? archive_read_support_filter_compress(reader)
                                                  : archive_read_support_filter_lz4(reader);
    archive_entry* entry = nullptr;
    if (filter != ARCHIVE_OK ||
        archive_read_open_memory(reader, in.data(), in.size()) != ARCHIVE_OK) {
      fail();
    }
    const int code = archive_read_next_header(reader, &entry);
    empty_ = code == ARCHIVE_EOF;
    if (!empty_ && code < ARCHIVE_WARN) fail();
    // "none" alone: the filter did not take the bytes for its own, which would come out unchanged.
    if (archive_filter_count(reader) < 2) {
      throw stoq::MalformedInput("header is not one of " + std::string(name_of(format)));
    }
  }

  void read(stoq::Buffer& out, const stoq::Request& request) {
    constexpr std::size_t chunk = std::size_t{256} << 10;
    while (!empty_) {
      if (request.stop_requested()) throw stoq::LimitReached{"plugin_timeout"};
      std::byte spare{};
      const bool full = out.remaining() == 0;
      const auto room =
          full ? std::span<std::byte>(&spare, 1) : out.prepare(std::min(chunk, out.remaining()));
      const auto count = archive_read_data(reader_.get(), room.data(), room.size());
      if (count == 0) return;
      if (count < 0) fail();
      if (full) throw stoq::LimitReached{"child_bytes"};
      out.commit(static_cast<std::size_t>(count));
    }
  }

 private:
  struct Free {
    void operator()(archive* reader) const noexcept { archive_read_free(reader); }
  };
  [[noreturn]] void fail() const {
    const char* reason = archive_error_string(reader_.get());
    throw stoq::MalformedInput(reason != nullptr ? reason : "compressed data is broken");
  }

  std::unique_ptr<archive, Free> reader_;
  bool empty_ = false;
};

class Decompress : public stoq::Extractor {
 public:
  void extract(const stoq::Payload& payload, const stoq::Request& request,
               stoq::Children& children) const override {
    const auto in = payload.view();
    const auto wanted = request.args().text("format");
    const auto format = wanted.empty() ? decompress::recognise(in) : decompress::by_name(wanted);
    if (format == Format::unknown) {
      if (wanted.empty()) return;
      throw stoq::Unsupported("decompress: format '" + std::string(wanted) + "' is not known");
    }
    if (format == Format::lzop) {
      throw stoq::Unsupported("decompress: lzop needs liblzo2, whose licence forbids it here");
    }
    std::string name = format == Format::gzip ? decompress::gzip_name(in) : std::string();
    std::size_t used = in.size();
    const bool whole =
        children.produce({.name = std::move(name), .keep_prefix = true}, claimed_size(in, format),
                         [&](stoq::Buffer& out) { used = fill(in, format, out, request); });
    if (whole && used < in.size()) {
      throw stoq::MalformedInput("decompress: " + std::to_string(in.size() - used) +
                                 " bytes behind the last " + std::string(name_of(format)) +
                                 " stream, at offset " + std::to_string(used) +
                                 ", belong to no stream");
    }
  }

  [[nodiscard]] bool reads_name() const noexcept override { return false; }
  [[nodiscard]] std::string child_name(std::string_view payload_name) const override {
    return decompress::name_without_suffix(payload_name);
  }

 private:
  using Decoder = std::unique_ptr<stoq::common::StreamDecoder>;

  /// What the end of a gzip file says of its last member, 0 for the rest.
  static std::uint64_t claimed_size(ByteView in, Format format) {
    if (format != Format::gzip || in.size() < 18) return 0;
    stoq::Cursor size(in.last(4));
    return size.le<std::uint32_t>();
  }

  /// Decodes all streams of `in`; returns where they end, padding included.
  std::size_t fill(ByteView in, Format format, stoq::Buffer& out,
                   const stoq::Request& request) const {
    if (format == Format::compress || format == Format::lz4_legacy) {
      // libarchive takes a header alone for none.
      const bool empty = in.size() == header_size(format) && decompress::recognise(in) == format;
      if (!empty) FilterReader(in, format).read(out, request);
      return in.size();
    }
    Decoder decoder;
    std::size_t used = 0;
    std::uint64_t hint = claimed_size(in, format);
    if (format == Format::zlib) hint = 4 * in.size();
    do {
      if (request.stop_requested()) throw stoq::LimitReached{"plugin_timeout"};
      const auto before = out.size();
      used += one_stream(in.subspan(used), format, hint, decoder, out, request);
      // Members of one file are often of one size (bgzip).
      hint = std::max<std::uint64_t>(out.size() - before, hint_floor);
    } while (used < in.size() && decompress::goes_on(in.subspan(used), format));
    return all_zero(in.subspan(used)) ? in.size() : used;
  }

  static std::size_t header_size(Format format) noexcept {
    return format == Format::compress ? 3 : 4;
  }

  std::size_t one_stream(ByteView in, Format format, std::uint64_t hint, Decoder& decoder,
                         stoq::Buffer& out, const stoq::Request& request) const {
    using stoq::common::Framing;
    if (format == Format::gzip || format == Format::zlib) {
      const auto framing = format == Format::gzip ? Framing::gzip : Framing::zlib;
      hint = std::min<std::uint64_t>(hint, out.remaining());
      return inflater_.inflate(in, framing, hint, out, request);
    }
    // zstd's and lz4's begin anew by themselves, and are dear to make for each of many frames.
    if (!decoder || format == Format::bzip2) decoder = decompress::make_decoder(format);
    return stoq::common::pump(*decoder, in, out, request);
  }

  static constexpr std::uint64_t hint_floor = std::uint64_t{64} << 10;
  stoq::common::Inflater inflater_;
};

}  // namespace

STOQ_PLUGIN(Decompress)
