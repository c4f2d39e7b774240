/// Reads bytes written in hex: pairs of digits, alone or each behind 0x or \x, with nothing, white
/// space, a comma, semicolon, colon or dash, or the quotes of joined strings between them.
#pragma once

#include <array>
#include <optional>

#include <stoq/plugin.hpp>

namespace hex {

/// A digit's value, or `none`.
inline constexpr std::uint8_t none = 0xff;

enum Kind : std::uint8_t { digit = 1, blank = 2, mark = 4, quote = 8, prefix = 16 };

struct Tables {
  std::array<std::uint8_t, 256> value{};
  std::array<std::uint8_t, 256> kind{};  ///< 0 for what stands in no run
};

inline constexpr Tables tables = [] {
  Tables made;
  made.value.fill(none);
  constexpr std::string_view digits = "0123456789abcdef";
  for (std::size_t i = 0; i < 22; ++i) {
    const auto at = i < 16 ? static_cast<unsigned char>(digits[i])
                           : static_cast<unsigned char>('A' + static_cast<char>(i - 16));
    made.value[at] = static_cast<std::uint8_t>(i < 16 ? i : i - 6);
    made.kind[at] = digit;
  }
  for (const auto c : std::string_view(" \t\r\n")) made.kind[static_cast<unsigned char>(c)] = blank;
  for (const auto c : std::string_view(",;:-")) made.kind[static_cast<unsigned char>(c)] = mark;
  for (const auto c : std::string_view("\"'")) made.kind[static_cast<unsigned char>(c)] = quote;
  for (const auto c : std::string_view("xX\\")) made.kind[static_cast<unsigned char>(c)] = prefix;
  return made;
}();

inline std::uint8_t kind(std::byte c) noexcept {
  return tables.kind[std::to_integer<std::size_t>(c)];
}
inline std::uint8_t value(std::byte c) noexcept {
  return tables.value[std::to_integer<std::size_t>(c)];
}

/// Reads one run, byte by byte.
class Reader {
 public:
  /// Reads from `at`, where the first digit or prefix must stand.
  Reader(stoq::ByteView text, std::size_t at) noexcept : text_(text), end_(at) {
    prefix_ = prefix_at(at);
  }

  /// The next byte; nothing where the run ends.
  std::optional<std::byte> next() noexcept {
    const auto at = separated(end_);
    const auto digits = at + prefix_size();
    if (prefix_at(at) != prefix_ || !has_pair(digits)) return {};
    // Words of an odd number of digits are numbers or words, no bytes.
    if (prefix_ != Prefix::bare && is_digit(digits + 2) && prefix_at(digits + 2) != prefix_)
      return {};
    if (prefix_ == Prefix::bare && at != end_ && !even_word(at)) return {};
    end_ = digits + 2;
    ++count_;
    const auto byte = static_cast<std::byte>(value(text_[digits]) << 4U | value(text_[digits + 1]));
    letters_ += value(text_[digits]) > 9 || value(text_[digits + 1]) > 9 ? 1U : 0U;
    return byte;
  }

  /// Behind the last digit read.
  [[nodiscard]] std::size_t end() const noexcept { return end_; }
  /// Bytes read.
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// How many of them have a digit above 9.
  [[nodiscard]] std::size_t letters() const noexcept { return letters_; }

 private:
  enum class Prefix : std::uint8_t { bare, zero_x, backslash_x };

  [[nodiscard]] bool is(std::size_t at, char c) const noexcept {
    return at < text_.size() && text_[at] == static_cast<std::byte>(c);
  }
  [[nodiscard]] bool is_kind(std::size_t at, unsigned kinds) const noexcept {
    return at < text_.size() && (kind(text_[at]) & kinds) != 0;
  }
  [[nodiscard]] bool is_digit(std::size_t at) const noexcept { return is_kind(at, digit); }
  [[nodiscard]] bool has_pair(std::size_t at) const noexcept {
    return is_digit(at) && is_digit(at + 1);
  }
  [[nodiscard]] std::size_t prefix_size() const noexcept { return prefix_ == Prefix::bare ? 0 : 2; }

  [[nodiscard]] Prefix prefix_at(std::size_t at) const noexcept {
    if (!is(at + 1, 'x') && !is(at + 1, 'X')) return Prefix::bare;
    return is(at, '0') ? Prefix::zero_x : is(at, '\\') ? Prefix::backslash_x : Prefix::bare;
  }

  /// Whether the digits at `at`, which begin a word, are even in number. Words of more than
  /// `far` digits count as even: their end, met later, decides over no more than half a byte.
  [[nodiscard]] bool even_word(std::size_t at) const noexcept {
    constexpr std::size_t far = 64;
    std::size_t length = 0;
    while (length < far && is_digit(at + length)) ++length;
    return length % 2 == 0;
  }

  /// Where the byte behind `at` may begin: what separates bytes is passed over.
  [[nodiscard]] std::size_t separated(std::size_t at) const noexcept {
    if (count_ == 0 || is_digit(at)) return at;
    const auto begin = at;
    bool marked = false;
    // As much as stands between two lines of a listing; no more, so that time stays linear.
    constexpr std::size_t far = 64;
    for (; at - begin < far; ++at) {
      if (is_kind(at, mark) && !marked) {
        marked = true;
      } else if (is(at, '\\') && (is(at + 1, '\n') || is(at + 1, '\r'))) {
        continue;  // a line that goes on
      } else if (!is_kind(at, blank | quote)) {
        break;
      }
    }
    return at;
  }

  stoq::ByteView text_;
  std::size_t end_;
  std::size_t count_ = 0;
  std::size_t letters_ = 0;
  Prefix prefix_ = Prefix::bare;
};

}  // namespace hex
