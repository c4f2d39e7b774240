#include "encoding.hpp"

#include <algorithm>
#include <array>
#include <optional>

using namespace std::string_view_literals;

namespace {

std::uint8_t byte(char c) noexcept { return static_cast<std::uint8_t>(c); }

/// Control characters that are in no text: all but BEL to CR and ESC.
constexpr bool is_control(std::uint8_t c) noexcept {
  return (c < 32 && (c < 7 || c > 13) && c != 27) || c == 127;
}

/// Bytes that EBCDIC has for control characters which are in no text.
constexpr bool is_control_in_ebcdic(std::uint8_t c) noexcept {
  return c <= 0x24 && c != 0x05 && (c < 0x0b || c > 0x0d) && c != 0x15 && c != 0x16;
}

struct Census {
  bool has_control = false;
  bool has_high = false;
};

Census count(std::string_view text) noexcept {
  enum Kind : std::uint8_t { control = 1, high = 2 };
  static constexpr auto kinds = [] {
    std::array<std::uint8_t, 256> made{};
    for (unsigned c = 0; c < 256; ++c) {
      if (is_control(static_cast<std::uint8_t>(c))) made[c] = control;
      if (c >= 128) made[c] = high;
    }
    return made;
  }();
  unsigned seen = 0;
  for (const char c : text) seen |= kinds[byte(c)];
  return {(seen & control) != 0, (seen & high) != 0};
}

void append_utf8(std::string& to, std::uint32_t c) {
  const auto put = [&](std::uint32_t b) { to.push_back(static_cast<char>(b)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xc0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xe0 | c >> 12);
    } else {
      put(0xf0 | (c >> 18 & 7));
      put(0x80 | (c >> 12 & 0x3f));
    }
    put(0x80 | (c >> 6 & 0x3f));
  }
  put(0x80 | (c & 0x3f));
}

struct Utf8 {
  bool is_valid = false;
  bool is_ascii = true;   // as far as it is whole
  std::size_t whole = 0;  // without a character that the end cuts
};

/// UTF-8 (RFC 3629).
Utf8 read_utf8(std::string_view text) noexcept {
  Utf8 read;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = byte(text[i++]);
    if (lead < 0x80) {
      read.whole = i;
      continue;
    }
    if (lead < 0xc2 || lead > 0xf4) return {};
    const std::size_t following = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    const auto end = i + following;
    std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    for (; i < end && i < text.size(); ++i) {
      if (byte(text[i]) < low || byte(text[i]) > high) return {};
      low = 0x80;
      high = 0xbf;
    }
    if (i < end) break;
    read.whole = i;
    read.is_ascii = false;
  }
  read.is_valid = true;
  return read;
}

/// UTF-16 behind its byte order mark as UTF-8; false when it is not text.
bool from_utf16(std::string_view bytes, bool big, std::string& to) {
  std::uint32_t first = 0;  // of a pair of surrogates
  to.clear();
  for (std::size_t i = 2; i + 1 < bytes.size(); i += 2) {
    const std::uint32_t even = byte(bytes[i]);
    const std::uint32_t odd = byte(bytes[i + 1]);
    std::uint32_t c = big ? even << 8 | odd : odd << 8 | even;
    if (c >= 0xfffe || (c >= 0xfdd0 && c <= 0xfdef)) return false;
    const bool is_second = c >= 0xdc00 && c <= 0xdfff;
    if (is_second != (first != 0)) return false;
    if (c >= 0xd800 && c <= 0xdbff) {
      first = c;
      continue;
    }
    if (first != 0) c = 0x10000 + ((first - 0xd800) << 10) + (c - 0xdc00);
    first = 0;
    if (c < 128 && is_control(static_cast<std::uint8_t>(c))) return false;
    append_utf8(to, c);
  }
  return true;
}

void from_latin1(std::string_view bytes, std::string& to) {
  to.clear();
  for (const char c : bytes) append_utf8(to, byte(c));
}

}  // namespace

Decoded decode(stoq::ByteView bytes, std::size_t window, std::string& storage) {
  auto text = stoq::as_chars(bytes.first(std::min(window, bytes.size())));
  if (text.size() < 4 || text.starts_with("+/v") || text.starts_with("\xff\xfe\0\0"sv) ||
      text.starts_with("\0\0\xfe\xff"sv)) {
    return {};
  }
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    if (!from_utf16(text, text[0] == '\xfe', storage)) return {};
    return {Look::text, storage};
  }
  const auto census = count(text);
  if (census.has_control) {
    const auto body = text.substr(0, text.find_last_not_of('\0') + 1);
    const bool is_not_ebcdic =
        std::any_of(body.begin(), body.end(), [](char c) { return is_control_in_ebcdic(byte(c)); });
    const bool is_binary = body.size() == text.size() || count(body).has_control;
    return {is_not_ebcdic && is_binary ? Look::binary : Look::unsure, {}};
  }
  if (!census.has_high) return {Look::text, text};
  const bool is_marked = text.starts_with("\xef\xbb\xbf");
  const auto body = text.substr(is_marked ? 3 : 0);
  const auto utf8 = read_utf8(body);
  if (utf8.is_valid && (is_marked || !utf8.is_ascii))
    return {Look::text, body.substr(0, utf8.whole)};
  from_latin1(text, storage);
  return {Look::text, storage};
}
