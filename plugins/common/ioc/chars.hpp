/// Classes of bytes, by table: what an indicator's parts are made of. ASCII only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace ioc {

namespace detail {
enum : std::uint8_t { digit = 1, alpha = 2, hex = 4, host = 8, local = 16 };

consteval std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> table{};
  const auto add = [&](std::string_view bytes, unsigned bits) {
    for (const char c : bytes) {
      auto& entry = table[static_cast<unsigned char>(c)];
      entry = static_cast<std::uint8_t>(entry | bits);
    }
  };
  add("0123456789", digit | hex | host | local);
  add("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", alpha | host | local);
  add("abcdefABCDEF", hex);
  add("-_", host | local);
  add(".%+", local);
  return table;
}
inline constexpr auto classes = make_classes();

constexpr bool is(char c, unsigned bits) noexcept {
  return (classes[static_cast<unsigned char>(c)] & bits) != 0;
}
}  // namespace detail

constexpr bool is_digit(char c) noexcept { return detail::is(c, detail::digit); }
constexpr bool is_alpha(char c) noexcept { return detail::is(c, detail::alpha); }
constexpr bool is_alnum(char c) noexcept { return detail::is(c, detail::digit | detail::alpha); }
constexpr bool is_hex(char c) noexcept { return detail::is(c, detail::hex); }
/// Of a label of a host name: letters, digits, '-' and '_'.
constexpr bool is_host(char c) noexcept { return detail::is(c, detail::host); }
/// Of the part of an e-mail address before the '@'.
constexpr bool is_local(char c) noexcept { return detail::is(c, detail::local); }
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
constexpr bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
constexpr bool is_opening(char c) noexcept { return c == '[' || c == '(' || c == '{' || c == '<'; }
constexpr bool is_closing(char c) noexcept { return c == ']' || c == ')' || c == '}' || c == '>'; }
/// Printable, a blank, an end of line, or the NUL behind a string: what stands beside an indicator
/// in a binary when it is no accident.
constexpr bool is_beside_text(char c) noexcept {
  return (c >= ' ' && c <= '~') || c == '\0' || c == '\t' || c == '\r' || c == '\n';
}
constexpr char lower(char c) noexcept { return is_upper(c) ? static_cast<char>(c | 0x20) : c; }

inline std::string lowered(std::string_view text) {
  std::string out(text);
  for (auto& c : out) c = lower(c);
  return out;
}

}  // namespace ioc
