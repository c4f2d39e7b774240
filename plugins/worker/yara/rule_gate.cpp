#include "rule_gate.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace {

using Prefixes = std::optional<std::set<std::string>>;
using Tokens = std::vector<std::string>;
using Part = std::span<const std::string>;

bool is_word(char c) noexcept {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Cuts rule text into words and signs. Comments are left out; strings, regular expressions and hex
/// strings become one empty token. YARA's division is `\`, so that `/` always begins a regular
/// expression or a comment.
class Lexer {
 public:
  explicit Lexer(std::string_view text) noexcept : text_(text) {}

  Tokens run() {
    while (at_ < text_.size()) step();
    return std::move(tokens_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at_;
    } else if (text_.substr(at_).starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (text_.substr(at_).starts_with("/*")) {
      skip_past("*/", at_ + 2);
    } else if (c == '"' || c == '/') {
      quoted(c);
    } else if (c == '{' && !tokens_.empty() && tokens_.back() == "=") {
      hex_string();
    } else if (is_word(c)) {
      const auto start = at_;
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
      tokens_.emplace_back(text_.substr(start, at_ - start));
    } else {
      const bool is_equality = text_.substr(at_).starts_with("==");
      tokens_.emplace_back(text_.substr(at_, is_equality ? 2 : 1));
      at_ += is_equality ? 2 : 1;
    }
  }
  void skip_past(std::string_view end, std::size_t from) {
    const auto found = text_.find(end, from);
    at_ = found == text_.npos ? text_.size() : found + end.size();
  }
  void quoted(char quote) {
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    ++at_;
    tokens_.emplace_back();
  }
  void hex_string() {
    // Its comments may hold a brace.
    for (++at_; at_ < text_.size() && text_[at_] != '}';) {
      if (text_.substr(at_).starts_with("//")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (text_.substr(at_).starts_with("/*")) {
        skip_past("*/", at_ + 2);
      } else {
        ++at_;
      }
    }
    ++at_;
    tokens_.emplace_back();
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Tokens tokens_;
};

std::optional<std::uint64_t> number(std::string_view token) {
  const bool hex = token.starts_with("0x");
  if (hex) token.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, failure] =
      std::from_chars(token.data(), token.data() + token.size(), value, hex ? 16 : 10);
  if (failure != std::errc{} || end != token.data() + token.size()) return std::nullopt;
  return value;
}

/// The bytes that make `function(0) == value` true.
Prefixes bytes_of(std::string_view function, std::uint64_t value) {
  const bool big = function.ends_with("be");
  if (big) function.remove_suffix(2);
  std::size_t width = 0;
  if (function == "uint8") width = 1;
  if (function == "uint16") width = 2;
  if (function == "uint32") width = 4;
  if (width == 0 || value >> (8 * width) != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) {
    bytes += static_cast<char>(value >> (8 * (big ? width - 1 - i : i)) & 0xff);
  }
  return std::set{std::move(bytes)};
}

/// What a term without `and` and `or` asks for.
Prefixes of_term(Part term) {
  if (term.size() >= 3 && term[0] == "pe" && term[1] == "." && term[2] == "is_pe") {
    const bool plain = term.size() == 3;
    const bool compared = term.size() == 5 && term[3] == "==" && term[4] == "1";
    return plain || compared ? Prefixes{std::set<std::string>{"MZ"}} : std::nullopt;
  }
  if (term.size() != 6) return std::nullopt;
  // function ( 0 ) == value, or value == function ( 0 )
  const auto call = term[4] == "==" ? term.first(4) : term.last(4);
  const auto& other = term[4] == "==" ? term[5] : term[0];
  if ((term[4] != "==" && term[1] != "==") || call[1] != "(" || call[3] != ")") return std::nullopt;
  const auto offset = number(call[2]);
  const auto value = number(other);
  if (!offset || *offset != 0 || !value) return std::nullopt;
  return bytes_of(call[0], *value);
}

/// The parts between `word`s that stand in no parentheses.
std::vector<Part> split(Part tokens, std::string_view word) {
  std::vector<Part> parts;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] == "(") ++depth;
    if (tokens[i] == ")") --depth;
    if (depth == 0 && tokens[i] == word) {
      parts.push_back(tokens.subspan(start, i - start));
      start = i + 1;
    }
  }
  parts.push_back(tokens.subspan(start));
  return parts;
}

/// Whether the first parenthesis closes at the very end.
bool is_wrapped(Part tokens) {
  if (tokens.size() < 2 || tokens.front() != "(") return false;
  int depth = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] == "(") ++depth;
    if (tokens[i] == ")" && --depth == 0) return i + 1 == tokens.size();
  }
  return false;
}

/// `or` needs an answer from every side, `and` from one.
Prefixes of_condition(Part tokens, int depth = 0) {
  constexpr int deepest = 64;
  if (depth > deepest) return std::nullopt;
  if (is_wrapped(tokens)) return of_condition(tokens.subspan(1, tokens.size() - 2), depth + 1);
  if (const auto sides = split(tokens, "or"); sides.size() > 1) {
    std::set<std::string> all;
    for (const auto& side : sides) {
      const auto one = of_condition(side, depth + 1);
      if (!one) return std::nullopt;
      all.insert(one->begin(), one->end());
    }
    return all;
  }
  const auto sides = split(tokens, "and");
  if (sides.size() == 1) return of_term(tokens);
  for (const auto& side : sides) {
    if (auto one = of_condition(side, depth + 1)) return one;
  }
  return std::nullopt;
}

}  // namespace

Prefixes required_prefixes(std::string_view text) {
  const auto tokens = Lexer(text).run();
  if (std::find(tokens.begin(), tokens.end(), "include") != tokens.end()) return std::nullopt;
  std::set<std::string> all;
  std::ptrdiff_t rules = 0;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    if (tokens[i] != "condition" || tokens[i + 1] != ":") continue;
    const auto end = std::find(tokens.begin() + static_cast<std::ptrdiff_t>(i), tokens.end(), "}");
    if (end == tokens.end()) return std::nullopt;
    const auto last = static_cast<std::size_t>(end - tokens.begin());
    const auto one = of_condition(Part(tokens).subspan(i + 2, last - i - 2));
    if (!one) return std::nullopt;
    all.insert(one->begin(), one->end());
    ++rules;
  }
  // `rule` is a reserved word: as many conditions as rules, or the text was misread.
  if (rules == 0 || std::count(tokens.begin(), tokens.end(), "rule") != rules) return std::nullopt;
  return all;
}

bool may_use_modules(std::string_view text) {
  return text.find("import") != text.npos || text.find("include") != text.npos;
}
