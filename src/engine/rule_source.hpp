/// The text of YARA rules, as those who read it for themselves walk over it.
#pragma once

#include <cstddef>
#include <string_view>

namespace stoq::engine {

/// Thrown at what its reader does not understand; caught by the reader.
struct NotTold {};

inline bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
inline bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// Walks over a source, past its comments.
class RuleSource {
 public:
  explicit RuleSource(std::string_view text) : text_(text) {}
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t by = 0) const {
    return at_ + by < text_.size() ? text_[at_ + by] : '\0';
  }
  char take() {
    if (at_end()) throw NotTold{};
    return text_[at_++];
  }
  /// Takes `expected`, if that is next.
  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }
  /// Past white space and comments.
  void skip() {
    for (;;) {
      while (is_space(peek())) ++at_;
      if (peek() != '/' || (peek(1) != '/' && peek(1) != '*')) return;
      const auto end = text_.find(peek(1) == '/' ? "\n" : "*/", at_ + 2);
      at_ = end == text_.npos ? text_.size() : end + (peek(1) == '/' ? 1 : 2);
    }
  }
  std::string_view word() {
    const auto from = at_;
    while (is_word(peek())) ++at_;
    return text_.substr(from, at_ - from);
  }
  /// What stands between two delimiters, the first of which is next; escapes are left in.
  std::string_view quoted() {
    const char delimiter = take();
    const auto from = at_;
    for (char c = take(); c != delimiter; c = take()) {
      if (c == '\\') take();
    }
    return text_.substr(from, at_ - 1 - from);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace stoq::engine
