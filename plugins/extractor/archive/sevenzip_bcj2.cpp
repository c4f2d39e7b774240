#include "sevenzip_bcj2.hpp"

#include <cstdint>
#include <utility>
#include <vector>

// As Bcj2.c of the LZMA SDK (public domain) decodes.

namespace archive_plugin::sevenzip {

namespace {

/// A stream byte by byte.
class ByteReader {
 public:
  explicit ByteReader(std::unique_ptr<Stream> source)
      : source_(std::move(source)), held_(std::size_t{16} << 10U) {}

  /// False at the end.
  bool next(std::uint8_t& byte) {
    if (used_ == end_) {
      used_ = 0;
      end_ = source_->read(held_);
      if (end_ == 0) return false;
    }
    byte = std::to_integer<std::uint8_t>(held_[used_++]);
    return true;
  }
  std::uint8_t must() {
    std::uint8_t byte = 0;
    if (!next(byte)) throw stoq::MalformedInput("BCJ2: one of its streams ends early");
    return byte;
  }

 private:
  std::unique_ptr<Stream> source_;
  std::vector<std::byte> held_;
  std::size_t used_ = 0;
  std::size_t end_ = 0;
};

/// The range decoder of LZMA, for single bits.
class Bits {
 public:
  explicit Bits(std::unique_ptr<Stream> source) : source_(std::move(source)) {}

  bool decode(std::uint16_t& probability) {
    constexpr unsigned model_bits = 11;
    constexpr unsigned move_bits = 5;
    if (!started_) start();
    const auto bound = (range_ >> model_bits) * probability;
    const bool bit = code_ >= bound;
    if (bit) {
      range_ -= bound;
      code_ -= bound;
      probability = static_cast<std::uint16_t>(probability - (probability >> move_bits));
    } else {
      range_ = bound;
      probability = static_cast<std::uint16_t>(probability +
                                               (((1U << model_bits) - probability) >> move_bits));
    }
    if (range_ < 1U << 24U) {
      range_ <<= 8U;
      code_ = code_ << 8U | source_.must();
    }
    return bit;
  }

 private:
  void start() {
    for (int i = 0; i < 5; ++i) code_ = code_ << 8U | source_.must();
    started_ = true;
  }

  ByteReader source_;
  std::uint32_t range_ = 0xffffffff;
  std::uint32_t code_ = 0;
  bool started_ = false;
};

class Bcj2 : public Stream {
 public:
  explicit Bcj2(std::array<std::unique_ptr<Stream>, 4> inputs)
      : code_(std::move(inputs[0])),
        calls_(std::move(inputs[1])),
        jumps_(std::move(inputs[2])),
        bits_(std::move(inputs[3])) {
    probabilities_.fill(1024);
  }

  std::size_t read(std::span<std::byte> out) override {
    std::size_t count = 0;
    while (count < out.size()) {
      if (targets_ > 0) {
        out[count++] = static_cast<std::byte>(target_ & 0xffU);
        target_ >>= 8U;
        --targets_;
        ++position_;
        continue;
      }
      // Bytes given out are in the caller's hands before what follows them is decoded: the end of
      // the content may be an opcode with nothing behind it.
      if (opcode_) decode_target();
      if (targets_ > 0) continue;
      std::uint8_t byte = 0;
      if (!code_.next(byte)) break;
      out[count++] = std::byte{byte};
      ++position_;
      opcode_ = is_branch(before_, byte);
      if (opcode_) {
        probability_ = byte == 0xe8 ? before_ : byte == 0xe9 ? 256U : 257U;
        from_calls_ = byte == 0xe8;
      }
      before_ = byte;
    }
    return count;
  }

 private:
  static bool is_branch(std::uint8_t before, std::uint8_t byte) noexcept {
    return (byte & 0xfe) == 0xe8 || (before == 0x0f && (byte & 0xf0) == 0x80);
  }

  void decode_target() {
    opcode_ = false;
    if (!bits_.decode(probabilities_[probability_])) return;
    auto& source = from_calls_ ? calls_ : jumps_;
    std::uint32_t absolute = 0;
    for (int i = 0; i < 4; ++i) absolute = absolute << 8U | source.must();
    target_ = absolute - (position_ + 4);
    targets_ = 4;
    before_ = static_cast<std::uint8_t>(target_ >> 24U);
  }

  ByteReader code_;
  ByteReader calls_;
  ByteReader jumps_;
  Bits bits_;
  std::array<std::uint16_t, 258> probabilities_{};
  std::size_t probability_ = 0;
  bool opcode_ = false;  ///< a call or jump was given out, and its target is not yet
  bool from_calls_ = false;
  std::uint32_t target_ = 0;
  unsigned targets_ = 0;  ///< bytes of target_ to be given out
  std::uint32_t position_ = 0;
  std::uint8_t before_ = 0;
};

}  // namespace

std::unique_ptr<Stream> make_bcj2(std::array<std::unique_ptr<Stream>, 4> inputs) {
  return std::make_unique<Bcj2>(std::move(inputs));
}

}  // namespace archive_plugin::sevenzip
