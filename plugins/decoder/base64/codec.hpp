/// Base64 of RFC 4648, sections 4 and 5: both alphabets at once, tolerant of what stands between.
#pragma once

#include <array>

#include <stoq/plugin.hpp>

namespace base64 {

/// What a character is; 0 for what is in neither alphabet.
enum Kind : std::uint8_t { upper = 1, lower = 2, digit = 4, standard = 8, url = 16, hex = 32 };

/// A character's value, or `none`.
using Alphabet = std::array<std::uint8_t, 256>;

inline constexpr std::uint8_t none = 0x80;

struct Tables {
  std::array<std::uint8_t, 256> kind{};
  Alphabet sextet{};
};

inline constexpr Tables tables = [] {
  Tables made;
  made.sextet.fill(none);
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    const auto at = static_cast<unsigned char>(alphabet[i]);
    made.sextet[at] = static_cast<std::uint8_t>(i);
    made.kind[at] = i < 26 ? upper : i < 52 ? lower : i < 62 ? digit : standard;
    if ((i % 26 < 6 && i < 52) || (i >= 52 && i < 62)) made.kind[at] |= hex;
  }
  made.kind['-'] = made.kind['_'] = url;
  made.sextet['-'] = 62;
  made.sextet['_'] = 63;
  return made;
}();

inline std::uint8_t kind(std::byte character) noexcept {
  return tables.kind[std::to_integer<std::size_t>(character)];
}
inline std::uint8_t sextet(std::byte character) noexcept {
  return tables.sextet[std::to_integer<std::size_t>(character)];
}

/// Letters and digits, with `specials` for 62 and 63 instead of those of the RFC.
inline Alphabet alphabet_with(std::string_view specials) {
  Alphabet made = tables.sextet;
  for (const auto character : std::string_view("+/-_")) {
    made[static_cast<unsigned char>(character)] = none;
  }
  for (std::size_t i = 0; i < specials.size(); ++i) {
    made[static_cast<unsigned char>(specials[i])] = static_cast<std::uint8_t>(62 + i);
  }
  return made;
}

/// Decodes text piece by piece. Line ends, blanks and escaped line ends are passed over; padding
/// ends a quantum, behind which the next may follow.
class Codec {
 public:
  explicit Codec(stoq::ByteView text, const Alphabet& alphabet = tables.sextet) noexcept
      : text_(text), alphabet_(alphabet) {}

  [[nodiscard]] bool done() const noexcept { return at_ == text_.size() && waiting_ < 2; }

  /// Writes to `room`; says how much. Fills it but for 2 bytes, or to the end of the text.
  std::size_t decode(std::span<std::byte> room) noexcept {
    std::size_t made = 0;
    while (at_ < text_.size() && room.size() - made >= 3) {
      if (waiting_ == 0) {
        made += whole_quanta(room.subspan(made));
        if (at_ == text_.size() || room.size() - made < 3) break;
      }
      made += step(room.subspan(made));
    }
    if (at_ == text_.size()) made += flush(room.subspan(made));
    return made;
  }

 private:
  /// The fast path: four characters of the alphabet to three bytes, as long as that goes.
  std::size_t whole_quanta(std::span<std::byte> room) noexcept {
    std::size_t made = 0;
    for (; text_.size() - at_ >= 4 && room.size() - made >= 3; at_ += 4, made += 3) {
      const std::uint32_t a = value_of(text_[at_]);
      const std::uint32_t b = value_of(text_[at_ + 1]);
      const std::uint32_t c = value_of(text_[at_ + 2]);
      const std::uint32_t d = value_of(text_[at_ + 3]);
      if (((a | b | c | d) & none) != 0) break;
      const auto bits = a << 18 | b << 12 | c << 6 | d;
      room[made] = static_cast<std::byte>(bits >> 16);
      room[made + 1] = static_cast<std::byte>(bits >> 8 & 0xff);
      room[made + 2] = static_cast<std::byte>(bits & 0xff);
    }
    return made;
  }

  /// One character; `room` has three bytes.
  std::size_t step(std::span<std::byte> room) noexcept {
    const auto character = text_[at_++];
    const auto value = value_of(character);
    if (character == std::byte{'='}) return flush(room);
    if (character == std::byte{'\\'}) at_ += at_ < text_.size() ? 1U : 0U;  // \n, \r
    if (value == none) return 0;
    bits_ = bits_ << 6 | value;
    if (++waiting_ < 4) return 0;
    for (unsigned i = 0; i < 3; ++i) room[i] = static_cast<std::byte>(bits_ >> (16 - 8 * i) & 0xff);
    waiting_ = 0;
    return 3;
  }

  /// What an unfinished quantum holds: one byte of two characters, two of three.
  std::size_t flush(std::span<std::byte> room) noexcept {
    const std::size_t count = waiting_ < 2 ? 0 : waiting_ - 1;
    if (room.size() < count) return 0;
    const auto bits = bits_ << 6 * (4 - waiting_);
    for (std::size_t i = 0; i < count; ++i) {
      room[i] = static_cast<std::byte>(bits >> (16 - 8 * i) & 0xff);
    }
    waiting_ = 0;
    return count;
  }

  [[nodiscard]] std::uint8_t value_of(std::byte character) const noexcept {
    return alphabet_[std::to_integer<std::size_t>(character)];
  }

  stoq::ByteView text_;
  const Alphabet& alphabet_;
  std::size_t at_ = 0;
  std::uint32_t bits_ = 0;
  std::uint32_t waiting_ = 0;  ///< characters in bits_
};

}  // namespace base64
