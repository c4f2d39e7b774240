/// The two compressed streams that Flash files have, bounded: read() writes no more than it is
/// given room for, and throws nothing but bad_alloc.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <new>

#include <lzma.h>
#include <zlib.h>

#include <stoq/plugin.hpp>

namespace swf {

/// From the three letters on: Flash's header, the size of the stream, the properties.
inline constexpr std::size_t lzma_header_size = 17;

/// A stream being decompressed. The bytes it reads outlive it.
class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;

  /// Writes to `room`; says how much. 0 only at the end.
  virtual std::size_t read(std::span<std::byte> room) = 0;
  /// Nothing more comes.
  [[nodiscard]] bool ended() const noexcept { return ended_; }
  /// What is wrong; empty at a good end.
  [[nodiscard]] std::string_view problem() const noexcept { return problem_; }
  /// Bytes of input consumed.
  [[nodiscard]] virtual std::size_t taken() const noexcept = 0;

 protected:
  std::size_t end(std::size_t made, std::string_view problem) noexcept {
    ended_ = true;
    problem_ = problem;
    return made;
  }

 private:
  bool ended_ = false;
  std::string_view problem_;
};

/// RFC 1950, section 2.2: deflate, no preset dictionary, a header checksum.
inline bool is_zlib(stoq::ByteView stream) {
  if (stream.size() < 2) return false;
  const auto method = std::to_integer<unsigned>(stream[0]);
  const auto flags = std::to_integer<unsigned>(stream[1]);
  return (method & 0x0f) == 8 && (method >> 4) <= 7 && (flags & 0x20) == 0 &&
         (method * 256 + flags) % 31 == 0;
}

/// `file` has the header and a byte; LZMA's range coder always begins with a zero byte.
inline bool is_lzma(stoq::ByteView file) {
  const auto properties = std::to_integer<unsigned>(file[12]);
  return properties < 9 * 5 * 5 && properties % 9 + properties / 9 % 5 <= LZMA_LCLP_MAX &&
         file[lzma_header_size] == std::byte{};
}

/// As many bytes as the library counts at a time.
inline uInt bounded(std::size_t size) noexcept {
  return static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<uInt>::max() / 2));
}

class ZlibStream : public Stream {
 public:
  explicit ZlibStream(stoq::ByteView packed) : packed_(packed) {
    if (inflateInit(&state_) != Z_OK) throw std::bad_alloc();
  }
  ~ZlibStream() override { inflateEnd(&state_); }

  std::size_t read(std::span<std::byte> room) override {
    const auto wanted = bounded(room.size());
    state_.next_out = reinterpret_cast<Bytef*>(room.data());
    state_.avail_out = wanted;
    while (state_.avail_out > 0) {
      const auto rest = packed_.subspan(taken_);
      const auto given = bounded(rest.size());
      // zlib does not write through next_in.
      state_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(rest.data()));
      state_.avail_in = given;
      const auto result = inflate(&state_, Z_NO_FLUSH);
      taken_ += given - state_.avail_in;
      const std::size_t made = wanted - state_.avail_out;
      if (result == Z_STREAM_END) return end(made, {});
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      if (result == Z_BUF_ERROR) return end(made, "the zlib stream is cut short");
      if (result != Z_OK) return end(made, "the zlib stream is damaged");
    }
    return wanted;
  }
  [[nodiscard]] std::size_t taken() const noexcept override { return taken_; }

 private:
  stoq::ByteView packed_;
  std::size_t taken_ = 0;
  z_stream state_{};
};

/// LZMA1 without a header of its own; ends where its size is reached or its end marker stands.
class LzmaStream : public Stream {
 public:
  /// `packed` begins with the size of the stream and the properties, checked by is_lzma().
  LzmaStream(stoq::ByteView packed, std::size_t size, std::size_t dictionary)
      : packed_(packed), left_(size) {
    constexpr std::size_t properties_at = 4;
    constexpr std::size_t prefix = 9;
    stoq::Cursor cursor(packed.subspan(properties_at));
    const std::uint32_t properties = cursor.le<std::uint8_t>();
    lzma_options_lzma options{};
    // No distance reaches back further than what is written; a claim costs no memory.
    options.dict_size = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(cursor.le<std::uint32_t>(), LZMA_DICT_SIZE_MIN,
                                std::max<std::size_t>(dictionary, LZMA_DICT_SIZE_MIN)));
    options.lc = properties % 9;
    options.lp = properties / 9 % 5;
    options.pb = properties / 45;
    const std::array<lzma_filter, 2> filters{
        {{LZMA_FILTER_LZMA1, &options}, {LZMA_VLI_UNKNOWN, nullptr}}};
    if (lzma_raw_decoder(&state_, filters.data()) != LZMA_OK) throw std::bad_alloc();
    const auto stream = packed.subspan(prefix);
    state_.next_in = reinterpret_cast<const std::uint8_t*>(stream.data());
    state_.avail_in = stream.size();
  }
  ~LzmaStream() override { lzma_end(&state_); }

  std::size_t read(std::span<std::byte> room) override {
    const auto wanted = std::min(room.size(), left_);
    state_.next_out = reinterpret_cast<std::uint8_t*>(room.data());
    state_.avail_out = wanted;
    lzma_ret result = LZMA_OK;
    while (state_.avail_out > 0 && result == LZMA_OK) result = lzma_code(&state_, LZMA_RUN);
    const auto made = wanted - state_.avail_out;
    left_ -= made;
    if (result == LZMA_MEM_ERROR) throw std::bad_alloc();
    if (result == LZMA_STREAM_END || (result == LZMA_OK && left_ == 0)) return end(made, {});
    if (result == LZMA_BUF_ERROR) return end(made, "the LZMA stream is cut short");
    if (result != LZMA_OK) return end(made, "the LZMA stream is damaged");
    return made;
  }
  [[nodiscard]] std::size_t taken() const noexcept override {
    return packed_.size() - state_.avail_in;
  }

 private:
  stoq::ByteView packed_;
  std::size_t left_;
  lzma_stream state_ = LZMA_STREAM_INIT;
};

inline std::unique_ptr<Stream> open_zlib(stoq::ByteView packed) {
  return std::make_unique<ZlibStream>(packed);
}
inline std::unique_ptr<Stream> open_lzma(stoq::ByteView packed, std::size_t size,
                                         std::size_t dictionary) {
  return std::make_unique<LzmaStream>(packed, size, dictionary);
}

}  // namespace swf
