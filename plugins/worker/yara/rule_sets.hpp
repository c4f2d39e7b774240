/// Compiled YARA rules, grouped so that a payload is scanned by as few as can match it.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <yara.h>

#include <stoq/plugin.hpp>

#include "externals.hpp"
#include "rule_files.hpp"

/// Keeps libyara initialised: it counts, so that several in a process do not disturb each other.
class YaraLibrary {
 public:
  YaraLibrary();
  YaraLibrary(const YaraLibrary&) = delete;
  YaraLibrary& operator=(const YaraLibrary&) = delete;
  ~YaraLibrary();
};

struct DestroyRules {
  void operator()(YR_RULES* rules) const noexcept { ::yr_rules_destroy(rules); }
};

/// Rules that are scanned together. Immutable once made, shared by all threads' scanners.
struct RuleSet {
  std::unique_ptr<YR_RULES, DestroyRules> rules;
  std::vector<std::string> prefixes;  ///< a payload begins with one of them, or none matches;
                                      ///< empty: scan all
  std::vector<std::size_t> order;     ///< by index of the rule: its place among all sets' rules
  bool asks_entry_point = false;      ///< perhaps; of programs libyara must then see all
};

/// Compiles the files: rules of modules that can only match payloads with certain first bytes get
/// sets of their own, all others share one. Every file is a namespace, and nothing in YARA reaches
/// over a namespace (references, global rules), so the matches are those of one single set. Throws
/// ConfigError with all errors of all files; warnings (mostly of slow strings) go to the log.
[[nodiscard]] std::vector<RuleSet> compile(const std::vector<RuleFile>& files,
                                           const Externals& externals, stoq::Host& host);
