/// Whether a run of base64 characters is base64, or only words, a path, a number.
#pragma once

#include <algorithm>
#include <bitset>

#include "codec.hpp"
#include "magic.hpp"

namespace base64 {

/// How many characters are looked at.
inline constexpr std::size_t sample_size = 4096;

/// Whether bytes begin as a known kind of file does.
inline bool has_magic(std::string_view head) {
  using namespace std::string_view_literals;
  constexpr std::string_view more[] = {"MZ\x90"sv, "MZ\0"sv, "MZP\0"sv, "RIFF"sv};
  return stoq::common::has_magic(head) ||
         std::any_of(std::begin(more), std::end(more),
                     [&](std::string_view magic) { return head.starts_with(magic); });
}

/// Whether bytes are text: ASCII, or ASCII in UTF-16.
inline bool is_text(stoq::ByteView bytes) {
  const auto printable = [](std::byte byte) {
    const auto code = std::to_integer<unsigned>(byte);
    return (code >= 0x20 && code < 0x7f) || code == '\n' || code == '\r' || code == '\t';
  };
  if (bytes.size() < 2) return std::all_of(bytes.begin(), bytes.end(), printable);
  if (bytes[0] == std::byte{0xff} && bytes[1] == std::byte{0xfe}) bytes = bytes.subspan(2);
  const std::size_t stride = bytes.size() > 3 && bytes[1] == std::byte{} ? 2 : 1;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % stride == 0 ? !printable(bytes[i]) : bytes[i] != std::byte{}) return false;
  }
  return true;
}

/// What the characters of a run are like.
struct Statistics {
  std::uint8_t any = 0;  ///< all kinds met
  bool hex_only = true;
  std::size_t characters = 0, distinct = 0, pairs = 0, changes = 0, separators = 0, digits = 0;

  explicit Statistics(stoq::ByteView text) {
    std::bitset<64> met;
    auto last = std::byte{};
    for (const auto character : text.first(std::min(text.size(), sample_size))) {
      const auto is = kind(character);
      if (is == 0) continue;
      any = static_cast<std::uint8_t>(any | is);
      hex_only = hex_only && (is & hex) != 0;
      digits += (is & digit) != 0 ? 1U : 0U;
      met.set(sextet(character));
      const auto before = kind(last);
      if (characters > 0 && character != last) {
        ++pairs;
        changes += (is & ~hex) != (before & ~hex) ? 1U : 0U;
        separators += (is & (standard | url)) != 0 ? 1U : 0U;
      }
      last = character;
      ++characters;
    }
    distinct = met.count();
  }

  /// Random base64 mixes its classes: two neighbours differ in class in 65 of 100 cases, in
  /// identifiers, paths and symbols in far fewer.
  [[nodiscard]] bool mixed() const noexcept {
    return (any & upper) != 0 && (any & lower) != 0 && digits * 32 >= characters && digits > 0 &&
           distinct >= std::max<std::size_t>(12, std::min<std::size_t>(characters, 64) * 3 / 8) &&
           100 * changes >= 45 * pairs && separators * 12 <= characters;
  }
};

/// Whether what `text` decodes to begins as a file or text.
inline bool makes_sense(stoq::ByteView text, const Alphabet& alphabet = tables.sextet) {
  std::array<std::byte, 192> room{};
  const stoq::ByteView head(room.data(), Codec(text, alphabet).decode(room));
  return has_magic(stoq::as_chars(head)) || (head.size() >= 4 && is_text(head));
}

/// Whether `text` is base64 of something.
inline bool is_base64(stoq::ByteView text) {
  const Statistics statistics(text);
  if (statistics.hex_only || statistics.distinct < 4) return false;
  if (stoq::as_chars(text).starts_with("_Z")) return false;  // a C++ symbol, in the URL alphabet
  return statistics.mixed() || makes_sense(text);
}

}  // namespace base64
