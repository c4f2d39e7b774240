/// What the strings of YARA rules look like to another matcher. libyara keeps them only compiled,
/// so they are read from the source; what is not understood is said so, never guessed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stoq::engine {

/// One expression that hits wherever the string does, and perhaps elsewhere: Perl syntax over
/// bytes, '.' being any byte.
struct StringExpression {
  std::string text;
  bool any_case = false;
  /// Its hits end where the string's do, and it looks no farther around them than a byte.
  bool whole = true;
  /// Bytes with which all its hits begin.
  std::string head = {};
};

/// The expressions of every string declared in a source, in its order. Nothing when one of them
/// cannot be told this way (modifiers xor and base64, regular expressions that are not plain).
/// https://yara.readthedocs.io/en/v4.2.3/writingrules.html#strings
[[nodiscard]] std::optional<std::vector<StringExpression>> rule_strings(std::string_view source);

}  // namespace stoq::engine
