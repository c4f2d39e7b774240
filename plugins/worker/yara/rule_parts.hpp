/// Takes files of YARA rules apart, so that rules of costly modules can be kept off payloads that
/// they cannot match.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "rule_files.hpp"

/// Some rules of a file, to be compiled together.
struct RulePart {
  std::string text;  ///< the file's; all other rules are blank, lines are kept
  std::vector<std::size_t>
      places;  ///< of its rules in the file, in order; empty: all that there are
  std::set<std::string> prefixes;  ///< a payload begins with one of them, or no rule of the part
                                   ///< matches; empty: it must be shown every payload
};

/// The parts of `file` (a text). Every rule is in one, and rules that refer to one another are in
/// the same, so that all parts together match what the file does.
[[nodiscard]] std::vector<RulePart> split_rules(const RuleFile& file);
