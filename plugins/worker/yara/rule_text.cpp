#include "rule_text.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace {

bool is_word(char c) noexcept {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// Cuts rule text into words and signs. Comments are left out. YARA's division is `\`, so that `/`
/// always begins a regular expression or a comment.
class Lexer {
 public:
  explicit Lexer(std::string_view text) noexcept : text_(text) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) step();
    return std::move(tokens_);
  }

 private:
  void step() {
    const char c = text_[at_];
    const auto start = at_;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) {
      ++at_;
    } else if (text_.substr(at_).starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (text_.substr(at_).starts_with("/*")) {
      skip_past("*/", at_ + 2);
    } else if (c == '"' || c == '/') {
      skip_quoted(c);
      tokens_.push_back({{}, start, at_});
    } else if (c == '{' && !tokens_.empty() && tokens_.back().text == "=") {
      skip_hex_string();
      tokens_.push_back({{}, start, at_});
    } else if (is_word(c)) {
      while (at_ < text_.size() && is_word(text_[at_])) ++at_;
      add(start);
    } else {
      const bool is_equality = text_.substr(at_).starts_with("==");
      at_ += is_equality ? std::size_t{2} : std::size_t{1};
      add(start);
    }
  }
  void add(std::size_t start) {
    tokens_.push_back({std::string(text_.substr(start, at_ - start)), start, at_});
  }
  void skip_past(std::string_view end, std::size_t from) {
    const auto found = text_.find(end, from);
    at_ = found == text_.npos ? text_.size() : found + end.size();
  }
  void skip_quoted(char quote) {
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
  }
  void skip_hex_string() {
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
    at_ = std::min(at_ + 1, text_.size());
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

/// Walks the tokens of a file: imports and rules, nothing else.
class Reader {
 public:
  Reader(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  std::optional<RuleTexts> run() {
    while (at_ < tokens_.size()) {
      if (!(is(at_, "import") ? read_import() : read_rule())) return std::nullopt;
    }
    return std::move(texts_);
  }

 private:
  [[nodiscard]] bool is(std::size_t at, std::string_view word) const {
    return at < tokens_.size() && tokens_[at].text == word;
  }

  bool read_import() {
    if (at_ + 1 >= tokens_.size()) return false;
    const auto& name = tokens_[at_ + 1];
    if (text_[name.begin] != '"' || name.end - name.begin < 2) return false;
    texts_.imports.push_back({std::string(text_.substr(name.begin + 1, name.end - name.begin - 2)),
                              tokens_[at_].begin, name.end});
    at_ += 2;
    return true;
  }

  bool read_rule() {
    RuleText rule;
    rule.begin = tokens_[at_].begin;
    if (is(at_, "private")) ++at_;
    if (!is(at_, "rule") || at_ + 1 >= tokens_.size()) return false;
    rule.name = tokens_[at_ + 1].text;
    if (rule.name.empty() || !names_.insert(rule.name).second) return false;
    while (at_ < tokens_.size() && !is(at_, "{")) ++at_;
    while (at_ < tokens_.size() && !is(at_, "}") && !begins_condition()) ++at_;
    if (!begins_condition()) return false;
    for (at_ += 2; at_ < tokens_.size() && !is(at_, "}"); ++at_) {
      // `rule` is a reserved word: the text was misread.
      if (is(at_, "rule") || is(at_, "{")) return false;
      rule.condition.push_back(tokens_[at_]);
    }
    if (at_ == tokens_.size() || rule.condition.empty()) return false;
    rule.end = tokens_[at_++].end;
    texts_.rules.push_back(std::move(rule));
    return true;
  }
  [[nodiscard]] bool begins_condition() const { return is(at_, "condition") && is(at_ + 1, ":"); }

  std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::set<std::string> names_;
  RuleTexts texts_;
};

}  // namespace

std::optional<RuleTexts> read_rule_texts(std::string_view text) {
  return Reader(text, Lexer(text).run()).run();
}
