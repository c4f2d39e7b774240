/// Reads the text of YARA rules as far as one must to take a file of them apart: where each rule
/// stands, what it is called, and the words of its condition.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A word, a number or a sign, and where it stands. Text strings, hex strings and regular
/// expressions are tokens without text.
struct Token {
  std::string text;
  std::size_t begin = 0, end = 0;
};

struct RuleText {
  std::string name;
  std::size_t begin = 0, end = 0;  ///< from its modifiers to past its closing brace
  std::vector<Token> condition;
};

struct ImportText {
  std::string module;
  std::size_t begin = 0, end = 0;
};

struct RuleTexts {
  std::vector<ImportText> imports;
  std::vector<RuleText> rules;
};

/// The rules of `text` in order. Nothing when it cannot be taken apart: it includes other files,
/// has global rules or two of one name, or is not understood.
[[nodiscard]] std::optional<RuleTexts> read_rule_texts(std::string_view text);
