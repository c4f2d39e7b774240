/// The words of a STIX pattern (STIX 2.1, chapter 9).
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace stix {

/// Why a pattern cannot be read; caught where the indicator is at hand.
class PatternError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

enum class Kind : std::uint8_t {
  end,
  word,       ///< AND, file, hashes, ipv4-addr
  text,       ///< '…', escapes undone
  number,     ///< 12, -1.5
  binary,     ///< b'…' and h'…', as written
  timestamp,  ///< t'…'
  sign        ///< = != == <> < <= > >= ( ) [ ] , : . *
};

struct Token {
  Kind kind = Kind::end;
  std::string text;
  std::size_t at = 0;  ///< where it begins in the pattern
};

/// Cuts a pattern into words; comments are left out. The pattern must outlive it.
class Lexer {
 public:
  explicit Lexer(std::string_view pattern) noexcept : pattern_(pattern) {}
  /// Kind::end for ever once the pattern is done. Throws PatternError.
  [[nodiscard]] Token next();

 private:
  void skip_blanks();
  [[nodiscard]] Token quoted(Kind kind, std::size_t begin);
  [[nodiscard]] Token number();
  [[nodiscard]] Token word();
  [[nodiscard]] Token sign();
  [[nodiscard]] char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : '\0';
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
};

}  // namespace stix
