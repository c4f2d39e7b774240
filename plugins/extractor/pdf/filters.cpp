#include "filters.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <utility>

#define ZLIB_CONST
#include <zlib.h>

#include "lzw.hpp"
#include "stream.hpp"

namespace pdf {
namespace {

bool is_space(unsigned char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\v' || c == 0;
}

std::byte low_byte(std::uint64_t value) noexcept {
  return std::byte{static_cast<std::uint8_t>(value)};
}

class Flate : public Stage {
 public:
  Flate(Stage& next, const stoq::Request& request) : next_(next), request_(request) {
    if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();
  }
  Flate(const Flate&) = delete;
  Flate& operator=(const Flate&) = delete;
  ~Flate() override { inflateEnd(&stream_); }

  void write(stoq::ByteView bytes) override {
    stream_.next_in = stoq::common::data_as<Bytef>(bytes);
    stream_.avail_in = static_cast<uInt>(bytes.size());
    int code = Z_OK;
    // A full buffer may have left more to come from input that is used up.
    bool full = false;
    while (!ended_ && code == Z_OK && (stream_.avail_in > 0 || full)) {
      if (request_.stop_requested()) throw stoq::LimitReached{"plugin_timeout"};
      stream_.next_out = stoq::common::data_as<Bytef>(std::span<std::byte>(room_));
      stream_.avail_out = static_cast<uInt>(room_.size());
      code = ::inflate(&stream_, Z_NO_FLUSH);
      const auto made = room_.size() - stream_.avail_out;
      full = stream_.avail_out == 0;
      ended_ = code == Z_STREAM_END;
      if (made > 0) next_.write(stoq::ByteView(room_).first(made));
    }
    remember(bytes);
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      const std::string reason = stream_.msg != nullptr ? stream_.msg : "invalid deflate data";
      throw stoq::MalformedInput("FlateDecode: " + reason);
    }
  }

  void finish() override {
    const bool cut = !std::exchange(ended_, true) && !ends_flushed(last_);
    next_.finish();
    if (cut) throw stoq::MalformedInput("FlateDecode: compressed data ends early");
  }

 private:
  void remember(stoq::ByteView bytes) noexcept {
    for (const auto byte : bytes.last(std::min(bytes.size(), last_.size()))) {
      std::rotate(last_.begin(), last_.begin() + 1, last_.end());
      last_.back() = byte;
    }
  }

  Stage& next_;
  const stoq::Request& request_;
  z_stream stream_{};
  bool ended_ = false;
  std::array<std::byte, 4> last_{};
  std::array<std::byte, 16384> room_;
};

/// Collects a stage's small pieces.
class Gatherer {
 public:
  explicit Gatherer(Stage& next) noexcept : next_(next) {}
  void add(std::byte byte) {
    pieces_[size_++] = byte;
    if (size_ == pieces_.size()) flush();
  }
  void flush() {
    const auto size = std::exchange(size_, 0);
    if (size > 0) next_.write(stoq::ByteView(pieces_).first(size));
  }

 private:
  Stage& next_;
  std::array<std::byte, 1024> pieces_;
  std::size_t size_ = 0;
};

/// A filter that goes byte by byte, and may end before its input does.
class ByteFilter : public Stage {
 public:
  explicit ByteFilter(Stage& next) noexcept : out_(next), next_(next) {}

  void write(stoq::ByteView bytes) final {
    for (const auto byte : bytes) {
      if (ended_) break;
      take(std::to_integer<unsigned char>(byte));
    }
    out_.flush();
  }

  void finish() final {
    if (!std::exchange(ended_, true)) end();
    out_.flush();
    next_.finish();
  }

 protected:
  virtual void take(unsigned char c) = 0;
  /// The input ends without a mark of its end.
  virtual void end() {}

  Gatherer out_;
  bool ended_ = false;

 private:
  Stage& next_;
};

class Ascii85 : public ByteFilter {
 public:
  using ByteFilter::ByteFilter;

 private:
  void take(unsigned char c) override {
    if (is_space(c)) return;
    if (c == '~') {
      // "<~" in front is Adobe's own, and of no meaning here.
      const bool is_front = first_group_ && count_ == 1 && group_ == '<' - 33U;
      if (is_front) {
        count_ = 0;
        group_ = 0;
      } else {
        end();
        ended_ = true;
      }
    } else if (c == 'z' && count_ == 0) {
      for (int i = 0; i < 4; ++i) out_.add(std::byte{0});
    } else if (c < '!' || c > 'u') {
      out_.flush();
      throw stoq::MalformedInput("ASCII85Decode: a character that is none of its digits");
    } else {
      group_ = group_ * 85 + (c - 33U);
      if (++count_ == 5) put(4);
    }
  }

  void end() override {
    const auto count = count_;
    if (count < 2) return;
    for (auto i = count; i < 5; ++i) group_ = group_ * 85 + 84;
    put(count - 1);
  }

  void put(unsigned count) {
    for (unsigned i = 0; i < count; ++i) out_.add(low_byte(group_ >> (24 - 8 * i)));
    count_ = 0;
    group_ = 0;
    first_group_ = false;
  }

  std::uint64_t group_ = 0;
  unsigned count_ = 0;
  bool first_group_ = true;
};

class AsciiHex : public ByteFilter {
 public:
  using ByteFilter::ByteFilter;

 private:
  void take(unsigned char c) override {
    if (is_space(c)) return;
    if (c == '>') {
      ended_ = true;
      end();
      return;
    }
    const auto digit = value(c);
    if (digit > 15) {
      out_.flush();
      throw stoq::MalformedInput("ASCIIHexDecode: a character that is no digit");
    }
    if (high_ > 15) {
      high_ = digit;
    } else {
      out_.add(low_byte(high_ << 4U | digit));
      high_ = none;
    }
  }

  /// A digit alone stands for itself and a zero.
  void end() override {
    if (high_ <= 15) out_.add(low_byte(high_ << 4U));
    high_ = none;
  }

  static unsigned value(unsigned char c) noexcept {
    if (c >= '0' && c <= '9') return c - unsigned{'0'};
    if (c >= 'a' && c <= 'f') return c - unsigned{'a'} + 10;
    if (c >= 'A' && c <= 'F') return c - unsigned{'A'} + 10;
    return none;
  }

  static constexpr unsigned none = 16;
  unsigned high_ = none;
};

class RunLength : public ByteFilter {
 public:
  using ByteFilter::ByteFilter;

 private:
  void take(unsigned char c) override {
    if (copied_ > 0) {
      out_.add(std::byte{c});
      --copied_;
    } else if (repeated_ > 0) {
      for (; repeated_ > 0; --repeated_) out_.add(std::byte{c});
    } else {
      const unsigned length = c;
      if (length < 128) copied_ = length + 1;
      if (length > 128) repeated_ = 257 - length;
      ended_ = length == 128;
    }
  }

  unsigned copied_ = 0;
  unsigned repeated_ = 0;
};

}  // namespace

std::optional<Kind> kind_of(std::string_view name) noexcept {
  constexpr std::array<std::pair<std::string_view, Kind>, 10> names = {{
      {"FlateDecode", Kind::flate},
      {"Fl", Kind::flate},
      {"LZWDecode", Kind::lzw},
      {"LZW", Kind::lzw},
      {"ASCII85Decode", Kind::ascii85},
      {"A85", Kind::ascii85},
      {"ASCIIHexDecode", Kind::ascii_hex},
      {"AHx", Kind::ascii_hex},
      {"RunLengthDecode", Kind::run_length},
      {"RL", Kind::run_length},
  }};
  for (const auto& [known, kind] : names) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

bool ends_flushed(stoq::ByteView data) noexcept {
  return stoq::as_chars(data).ends_with(std::string_view("\0\0\xff\xff", 4));
}

std::unique_ptr<Stage> make_filter(Kind kind, const Parameters& parameters, Stage& next,
                                   const stoq::Request& request) {
  switch (kind) {
    case Kind::flate:
      return std::make_unique<Flate>(next, request);
    case Kind::lzw:
      return make_lzw(parameters.early_change, next, request);
    case Kind::ascii85:
      return std::make_unique<Ascii85>(next);
    case Kind::ascii_hex:
      return std::make_unique<AsciiHex>(next);
    case Kind::run_length:
      break;
  }
  return std::make_unique<RunLength>(next);
}

}  // namespace pdf
