#include "rule_gate.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using Prefixes = std::optional<std::set<std::string>>;
using Part = std::span<const Token>;

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

/// Modules that tell of one kind of file only, and what such a file begins with.
struct FileModule {
  std::string_view name, magic;
};
constexpr std::array file_modules{FileModule{"pe", "MZ"}, FileModule{"dotnet", "MZ"},
                                  FileModule{"elf",
                                             "\x7f"
                                             "ELF"}};

bool is(Part part, std::size_t at, std::string_view word) noexcept {
  return at < part.size() && part[at].text == word;
}

/// The module whose field, undefined for other files, stands at `at`: `pe.timestamp`. Constants
/// (`pe.DLL`) are defined everywhere, and so is what begins with `is_`.
const FileModule* field_at(Part part, std::size_t at) noexcept {
  if (!is(part, at + 1, ".") || at + 2 >= part.size()) return nullptr;
  const bool is_range_end = at > 1 && is(part, at - 2, ".");
  if (at > 0 && is(part, at - 1, ".") && !is_range_end) return nullptr;
  const auto& field = part[at + 2].text;
  if (field.empty() || std::islower(static_cast<unsigned char>(field[0])) == 0) return nullptr;
  if (field.starts_with("is_")) return nullptr;
  const auto* const found =
      std::find_if(file_modules.begin(), file_modules.end(),
                   [&](const FileModule& module) { return module.name == part[at].text; });
  return found == file_modules.end() ? nullptr : &*found;
}

/// Where the parenthesis or bracket that opens at `at` closes; the size of `part` if nowhere.
std::size_t closing(Part part, std::size_t at) noexcept {
  int depth = 0;
  for (; at < part.size(); ++at) {
    if (is(part, at, "(") || is(part, at, "[")) ++depth;
    if ((is(part, at, ")") || is(part, at, "]")) && --depth == 0) return at;
  }
  return part.size();
}

/// Whether `part` calls a function of a module, `pe.imports(…)`: these may answer 0 for other
/// files.
bool calls_module(Part part) noexcept {
  for (std::size_t i = 1; i + 1 < part.size(); ++i) {
    if (is(part, i - 1, ".") && is(part, i + 1, "(")) return true;
  }
  return false;
}

/// `pe.is_dll()`, `pe.rich_signature.version(5) > 0`: true only if it answers more than 0.
Prefixes of_call(Part term) {
  std::size_t at = 1;
  while (is(term, at, ".") && at + 1 < term.size()) at += 2;
  if (at < 3 || !is(term, at, "(")) return std::nullopt;
  const auto* const module =
      std::find_if(file_modules.begin(), file_modules.end(),
                   [&](const FileModule& one) { return one.name == term[0].text; });
  if (module == file_modules.end()) return std::nullopt;
  const auto end = closing(term, at);
  if (end >= term.size() || calls_module(term.subspan(at))) return std::nullopt;
  const auto rest = term.subspan(end + 1);
  const bool is_more = rest.size() == 2 && is(rest, 0, ">") && number(rest[1].text).has_value();
  const bool is_hash = rest.size() == 2 && is(rest, 0, "==") && rest[1].text.empty() && at == 3 &&
                       is(term, 2, "imphash");
  if (!rest.empty() && !is_more && !is_hash) return std::nullopt;
  return std::set{std::string(module->magic)};
}

/// What a term of nothing but operators asks for that yield nothing if any part is undefined.
Prefixes of_fields(Part term) {
  constexpr std::array special{"not", "defined", "for", "of", "any", "all", "none", "and", "or"};
  for (const auto& token : term) {
    if (std::find(special.begin(), special.end(), token.text) != special.end()) return std::nullopt;
  }
  if (calls_module(term)) {
    // Functions of these answer nothing when asked about something undefined.
    const bool asks_math = term.size() > 4 && is(term, 0, "math") && is(term, 3, "(") &&
                           !calls_module(term.subspan(3));
    if (!asks_math) return of_call(term);
  }
  for (std::size_t i = 0; i < term.size(); ++i) {
    if (const auto* module = field_at(term, i)) return std::set{std::string(module->magic)};
  }
  return std::nullopt;
}

/// `for any i in (0 .. pe.number_of_sections - 1) : ( … )`: nothing to go through, no match.
Prefixes of_loop(Part term) {
  if (!is(term, 0, "for") || !is(term, 1, "any") || !is(term, 3, "in") || !is(term, 4, "(")) {
    return std::nullopt;
  }
  const auto end = closing(term, 4);
  if (!is(term, end + 1, ":") || !is(term, end + 2, "(") ||
      closing(term, end + 2) + 1 != term.size()) {
    return std::nullopt;
  }
  const auto range = term.subspan(5, end - 5);
  return calls_module(range) ? std::nullopt : of_fields(range);
}

/// What a term without `and` and `or` asks for.
Prefixes of_term(Part term) {
  if (is(term, 0, "pe") && is(term, 1, ".") && is(term, 2, "is_pe")) {
    const bool plain = term.size() == 3;
    const bool compared = term.size() == 5 && is(term, 3, "==") && is(term, 4, "1");
    return plain || compared ? Prefixes{std::set<std::string>{"MZ"}} : std::nullopt;
  }
  if (is(term, 0, "for")) return of_loop(term);
  if (term.size() == 6 && (is(term, 4, "==") || is(term, 1, "=="))) {
    // function ( 0 ) == value, or value == function ( 0 )
    const auto call = is(term, 4, "==") ? term.first(4) : term.last(4);
    const auto value = number(is(term, 4, "==") ? term[5].text : term[0].text);
    if (is(call, 1, "(") && is(call, 3, ")") && number(call[2].text) == 0 && value) {
      if (auto bytes = bytes_of(call[0].text, *value)) return bytes;
    }
  }
  return of_fields(term);
}

/// The parts between `word`s that stand in no parentheses.
std::vector<Part> split(Part tokens, std::string_view word) {
  std::vector<Part> parts;
  std::size_t start = 0;
  int depth = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].text == "(") ++depth;
    if (tokens[i].text == ")") --depth;
    if (depth == 0 && tokens[i].text == word) {
      parts.push_back(tokens.subspan(start, i - start));
      start = i + 1;
    }
  }
  parts.push_back(tokens.subspan(start));
  return parts;
}

/// Whether the first parenthesis closes at the very end.
bool is_wrapped(Part tokens) {
  if (tokens.size() < 2 || tokens.front().text != "(") return false;
  int depth = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].text == "(") ++depth;
    if (tokens[i].text == ")" && --depth == 0) return i + 1 == tokens.size();
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

Prefixes required_prefixes(Part condition) { return of_condition(condition); }
