#include "engine/rule_strings.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "engine/rule_source.hpp"

namespace stoq::engine {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
// A gap longer than this ends the expression: what stands before it must be there in any case.
constexpr unsigned longest_gap = 64;

int hex_value(char c) {
  const auto lower = c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  const auto at = hex_digits.find(lower);
  return at == hex_digits.npos ? -1 : static_cast<int>(at);
}

void append_byte(std::string& out, unsigned byte) {
  out += "\\x";
  out += hex_digits[byte >> 4U];
  out += hex_digits[byte & 15U];
}

// --- Hexadecimal strings ----------------------------------------------------------------------

void append_hex_byte(std::string& out, char high, char low) {
  if (high == '?' && low == '?') {
    out += '.';
  } else if (high == '?') {
    out += '[';
    for (unsigned i = 0; i < 16; ++i)
      append_byte(out, i * 16 + static_cast<unsigned>(hex_value(low)));
    out += ']';
  } else if (low == '?') {
    const auto base = static_cast<unsigned>(hex_value(high)) * 16;
    append_byte(out += '[', base);
    append_byte(out += '-', base + 15);
    out += ']';
  } else {
    append_byte(out, static_cast<unsigned>(hex_value(high) * 16 + hex_value(low)));
  }
}

/// "[n]", "[n-m]", "[n-]", "[-]": false when the expression must end here.
bool append_gap(std::string& out, RuleSource& cursor) {
  std::string text;
  for (char c = cursor.take(); c != ']'; c = cursor.take()) {
    if (!is_space(c)) text += c;
  }
  const auto dash = text.find('-');
  const auto number = [](std::string_view digits) {
    unsigned value = 0;
    for (const char c : digits) {
      if (c < '0' || c > '9') throw NotTold{};
      value = std::min(value * 10 + static_cast<unsigned>(c - '0'), longest_gap + 1);
    }
    return value;
  };
  const auto low = number(std::string_view(text).substr(0, dash));
  const bool open = dash != text.npos && dash + 1 == text.size();
  const auto high = dash == text.npos ? low : number(std::string_view(text).substr(dash + 1));
  if (open || low > longest_gap || high > longest_gap) return false;
  out += ".{" + std::to_string(low) + "," + std::to_string(high) + "}";
  return true;
}

/// What stands between braces; `cursor` is behind the first.
StringExpression hex_string(RuleSource& cursor) {
  StringExpression made;
  unsigned open = 0;
  bool ended = false;
  bool plain = true;  // so far
  std::string ignored;
  for (cursor.skip(); cursor.peek() != '}'; cursor.skip()) {
    auto& out = ended ? ignored : made.text;
    const char c = cursor.take();
    if (c == '(' || c == '[' || c == '~') plain = false;
    if (c == '(') {
      out += "(?:";
      ++open;
    } else if (c == ')') {
      out += ')';
      --open;
    } else if (c == '|') {
      out += '|';
    } else if (c == '[') {
      // Within an alternative the rest cannot be left out.
      if (!append_gap(out, cursor)) {
        if (open > 0) throw NotTold{};
        ended = true;
        made.whole = false;
      }
    } else if (c == '~') {
      out += "[^";
      append_byte(out,
                  static_cast<unsigned>(hex_value(cursor.peek()) * 16 + hex_value(cursor.peek(1))));
      out += ']';
      if (hex_value(cursor.take()) < 0 || hex_value(cursor.take()) < 0) throw NotTold{};
    } else {
      const char low = cursor.take();
      const auto fits = [](char digit) { return digit == '?' || hex_value(digit) >= 0; };
      if (!fits(c) || !fits(low)) throw NotTold{};
      append_hex_byte(out, c, low);
      plain = plain && c != '?' && low != '?';
      if (plain) made.head += static_cast<char>(hex_value(c) * 16 + hex_value(low));
      continue;
    }
  }
  cursor.take();
  return made;
}

// --- Text strings -----------------------------------------------------------------------------

std::string text_bytes(std::string_view quoted) {
  std::string bytes;
  for (std::size_t i = 0; i < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      bytes += quoted[i];
      continue;
    }
    if (++i >= quoted.size()) throw NotTold{};
    constexpr std::string_view names = "\\\"trn", values = "\\\"\t\r\n";
    if (const auto at = names.find(quoted[i]); at != names.npos) {
      bytes += values[at];
    } else if (quoted[i] == 'x' && i + 2 < quoted.size()) {
      const auto value = hex_value(quoted[i + 1]) * 16 + hex_value(quoted[i + 2]);
      if (hex_value(quoted[i + 1]) < 0 || hex_value(quoted[i + 2]) < 0) throw NotTold{};
      bytes += static_cast<char>(value);
      i += 2;
    } else {
      throw NotTold{};
    }
  }
  return bytes;
}

std::string literal(std::string_view bytes, bool wide) {
  std::string text;
  for (const char c : bytes) {
    append_byte(text, static_cast<unsigned char>(c));
    if (wide) append_byte(text, 0);
  }
  return text;
}

struct Modifiers {
  bool any_case = false, ascii = false, wide = false;
};

Modifiers modifiers(RuleSource& cursor) {
  Modifiers found;
  for (;;) {
    cursor.skip();
    auto ahead = cursor;
    const auto word = ahead.word();
    constexpr std::array<std::string_view, 5> known{"ascii", "wide", "nocase", "fullword",
                                                    "private"};
    if (word == "xor" || word == "base64" || word == "base64wide") throw NotTold{};
    if (std::find(known.begin(), known.end(), word) == known.end()) return found;
    cursor = ahead;
    found.ascii = found.ascii || word == "ascii";
    found.wide = found.wide || word == "wide";
    found.any_case = found.any_case || word == "nocase";
  }
}

// --- Declarations -----------------------------------------------------------------------------

/// Escapes mean the same in both languages only as far as they are listed here.
void check_plain(std::string_view expression) {
  for (std::size_t i = 0; i < expression.size(); ++i) {
    if (expression[i] == '(' && i + 1 < expression.size() && expression[i + 1] == '?') {
      throw NotTold{};
    }
    if (expression[i] != '\\') continue;
    if (++i >= expression.size()) throw NotTold{};
    if (is_word(expression[i]) &&
        std::string_view("xdDwWsSbBtrnf").find(expression[i]) == std::string_view::npos) {
      throw NotTold{};
    }
  }
}

StringExpression regular_expression(RuleSource& cursor) {
  StringExpression made;
  const auto text = cursor.quoted();
  check_plain(text);
  const auto flags = cursor.word();
  // libyara's anchors and boundaries depend on where a search begins and ends.
  made.whole = text.find_first_of("^$") == text.npos && text.find("\\b") == text.npos &&
               text.find("\\B") == text.npos;
  // Without 's' libyara's dot leaves out line feeds: any byte is more, never less.
  made.any_case = flags.find('i') != flags.npos;
  made.text = text;
  const auto found = modifiers(cursor);
  if (found.wide) throw NotTold{};
  made.any_case = made.any_case || found.any_case;
  return made;
}

/// The value of one declaration; `cursor` stands on it.
void declaration(RuleSource& cursor, std::vector<StringExpression>& all) {
  if (cursor.peek() == '{') {
    cursor.take();
    all.push_back(hex_string(cursor));
    (void)modifiers(cursor);
  } else if (cursor.peek() == '/') {
    all.push_back(regular_expression(cursor));
  } else if (cursor.peek() == '"') {
    const auto bytes = text_bytes(cursor.quoted());
    const auto found = modifiers(cursor);
    std::string text = literal(bytes, found.wide);
    if (found.wide && found.ascii) text = "(?:" + text + "|" + literal(bytes, false) + ")";
    all.push_back({std::move(text), found.any_case, true, found.wide ? "" : bytes});
  } else {
    throw NotTold{};
  }
  if (all.back().text.empty()) throw NotTold{};
}

void section(RuleSource& cursor, std::vector<StringExpression>& all) {
  for (cursor.skip(); cursor.peek() == '$'; cursor.skip()) {
    cursor.take();
    (void)cursor.word();
    cursor.skip();
    if (cursor.take() != '=') throw NotTold{};
    cursor.skip();
    declaration(cursor, all);
  }
}

}  // namespace

std::optional<std::vector<StringExpression>> rule_strings(std::string_view source) {
  std::vector<StringExpression> all;
  RuleSource cursor(source);
  try {
    for (cursor.skip(); !cursor.at_end(); cursor.skip()) {
      // YARA divides by a backslash: a slash begins a comment or an expression.
      if (cursor.peek() == '"' || cursor.peek() == '/') {
        (void)cursor.quoted();
      } else if (const auto word = cursor.word(); word.empty()) {
        cursor.take();
      } else if (word == "strings") {
        cursor.skip();
        if (cursor.take() == ':') section(cursor, all);
      }
    }
  } catch (const NotTold&) {
    return std::nullopt;
  }
  return all;
}

}  // namespace stoq::engine
