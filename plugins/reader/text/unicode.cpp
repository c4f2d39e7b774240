#include <algorithm>
#include <cstdint>

#include <unicode/uchar.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include "guess.hpp"

namespace text {
namespace {

using namespace std::string_view_literals;

/// Bytes of a text without a mark that are looked at.
constexpr std::size_t sample = 8192;

struct Mark {
  std::string_view bytes;
  const char* encoding;
};
// UTF-32LE before UTF-16LE, whose mark it begins with.
constexpr Mark marks[] = {{"\xef\xbb\xbf"sv, "UTF-8"},    {"\xff\xfe\0\0"sv, "UTF-32LE"},
                          {"\0\0\xfe\xff"sv, "UTF-32BE"}, {"\xff\xfe"sv, "UTF-16LE"},
                          {"\xfe\xff"sv, "UTF-16BE"},     {"\x84\x31\x95\x33"sv, "GB18030"}};

enum class Order : std::uint8_t { little, big };

std::uint32_t unit(std::string_view bytes, std::size_t at, std::size_t size, Order order) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const auto from = order == Order::big ? at + i : at + size - 1 - i;
    value = value << 8U | static_cast<unsigned char>(bytes[from]);
  }
  return value;
}

bool is_control(std::uint32_t c) noexcept {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b) ||
         (c >= 0x7f && c < 0xa0);
}

/// Whether no text has this character, or hardly any.
bool is_strange(std::uint32_t c) noexcept {
  if (is_control(c) || c > 0x10ffff) return true;
  const auto type = u_charType(static_cast<UChar32>(c));
  return type == U_UNASSIGNED || type == U_PRIVATE_USE_CHAR || type == U_SURROGATE;
}

/// Blanks, ends of lines, the commonest punctuation: every text has some of them.
bool is_common(std::uint32_t c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || (c >= 0x3000 && c <= 0x3002) || c == 0xff0c;
}

/// What reading the sample in one way shows.
struct Look {
  std::size_t characters = 0;
  std::size_t common = 0;
  std::size_t strange = 0;
  std::size_t ascii = 0;

  void add(std::uint32_t c) {
    ++characters;
    common += is_common(c) ? 1U : 0U;
    strange += is_strange(c) ? 1U : 0U;
    ascii += c < 0x80 ? 1U : 0U;
  }
  [[nodiscard]] bool is_text() const noexcept {
    if (characters < 2 || strange > characters / 128) return false;
    return ascii >= characters / 2 || common >= std::max<std::size_t>(1, characters / 64);
  }
};

Look look_32(std::string_view bytes, Order order) {
  Look look;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) look.add(unit(bytes, at, 4, order));
  return look;
}

Look look_16(std::string_view bytes, Order order) {
  Look look;
  for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2) {
    auto c = unit(bytes, at, 2, order);
    if (U16_IS_LEAD(c) && at + 4 <= bytes.size()) {
      const auto trail = unit(bytes, at + 2, 2, order);
      if (U16_IS_TRAIL(trail)) {
        c = static_cast<std::uint32_t>(U16_GET_SUPPLEMENTARY(c, trail));
        at += 2;
      }
    }
    look.add(c);
  }
  return look;
}

}  // namespace

Guess marked(std::string_view bytes) {
  for (const auto& mark : marks) {
    if (!bytes.starts_with(mark.bytes)) continue;
    // UTF-16 that begins with a mark and a NUL is no text, UTF-32 that is not whole none either.
    return {mark.encoding, mark.bytes.size(), Certainty::mark};
  }
  return {};
}

Guess unmarked_wide(std::string_view bytes) {
  const auto head = bytes.substr(0, sample);
  if (bytes.size() % 4 == 0 && head.find('\0') != head.npos) {
    if (look_32(head, Order::little).is_text()) return {"UTF-32LE", 0, Certainty::form};
    if (look_32(head, Order::big).is_text()) return {"UTF-32BE", 0, Certainty::form};
  }
  if (bytes.size() % 2 != 0) return {};
  const auto little = look_16(head, Order::little);
  const auto big = look_16(head, Order::big);
  const bool is_little = little.is_text() && little.common > big.common;
  const bool is_big = big.is_text() && big.common > little.common;
  if (is_little == is_big) return {};
  return {is_little ? "UTF-16LE" : "UTF-16BE", 0, Certainty::form};
}

bool is_utf8(std::string_view bytes) noexcept {
  const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const auto size = static_cast<std::int64_t>(bytes.size());
  std::size_t good = 0;
  std::size_t bad = 0;
  constexpr std::int64_t step = std::int64_t{1} << 30U;  // ICU counts in 32 bits
  for (std::int64_t begin = 0; begin < size; begin += step) {
    const auto* const part = data + begin;
    const auto length = static_cast<std::int32_t>(std::min(step, size - begin));
    for (std::int32_t at = 0; at < length;) {
      UChar32 c = 0;
      U8_NEXT(part, at, length, c);
      if (c < 0) ++bad;
      if (c >= 0x80) ++good;
    }
  }
  return bad == 0 || (good >= 16 && bad <= good / 16);
}

}  // namespace text
