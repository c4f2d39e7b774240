#include "lexer.hpp"

#include <algorithm>

namespace stix {
namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string place(std::size_t at) { return " at offset " + std::to_string(at); }

}  // namespace

void Lexer::skip_blanks() {
  for (;;) {
    at_ = std::min(pattern_.find_first_not_of(" \t\r\n\f\v", at_), pattern_.size());
    if (peek() == '/' && peek(1) == '/') {
      at_ = std::min(pattern_.find('\n', at_), pattern_.size());
    } else if (peek() == '/' && peek(1) == '*') {
      const auto end = pattern_.find("*/", at_ + 2);
      if (end == pattern_.npos) throw PatternError("a comment does not end" + place(at_));
      at_ = end + 2;
    } else if (pattern_.substr(at_).starts_with("\xc2\xa0")) {
      at_ += 2;  // a blank to those who write patterns in word processors
    } else {
      return;
    }
  }
}

Token Lexer::next() {
  skip_blanks();
  const char c = peek();
  if (at_ >= pattern_.size()) return {Kind::end, {}, at_};
  if (c == '\'') return quoted(Kind::text, at_);
  if (peek(1) == '\'' && (c == 't' || c == 'b' || c == 'h')) {
    return quoted(c == 't' ? Kind::timestamp : Kind::binary, at_++);
  }
  if (is_digit(c) || ((c == '-' || c == '+') && is_digit(peek(1)))) return number();
  return is_letter(c) ? word() : sign();
}

Token Lexer::quoted(Kind kind, std::size_t begin) {
  Token token{kind, {}, begin};
  for (++at_; at_ < pattern_.size(); ++at_) {
    char c = pattern_[at_];
    if (c == '\'') {
      ++at_;
      return token;
    }
    if (c == '\\') {
      // Only these two are escapes; before all else it stands for itself.
      const char escaped = peek(1);
      if (escaped == '\'' || escaped == '\\') c = pattern_[++at_];
    }
    token.text += c;
  }
  throw PatternError("a quoted text does not end" + place(begin));
}

Token Lexer::number() {
  const auto begin = at_++;
  while (is_digit(peek()) || (peek() == '.' && is_digit(peek(1)))) ++at_;
  return {Kind::number, std::string(pattern_.substr(begin, at_ - begin)), begin};
}

Token Lexer::word() {
  const auto begin = at_;
  while (is_letter(peek()) || is_digit(peek()) || peek() == '-') ++at_;
  return {Kind::word, std::string(pattern_.substr(begin, at_ - begin)), begin};
}

Token Lexer::sign() {
  const auto two = pattern_.substr(at_, 2);
  for (const auto* const known : {"!=", "==", "<>", "<=", ">="}) {
    if (two == known) {
      at_ += 2;
      return {Kind::sign, known, at_ - 2};
    }
  }
  constexpr std::string_view known = "=<>()[],:.*";
  if (known.find(peek()) == known.npos) {
    throw PatternError("what stands" + place(at_) + " belongs to no pattern");
  }
  return {Kind::sign, std::string(1, pattern_[at_++]), at_ - 1};
}

}  // namespace stix
