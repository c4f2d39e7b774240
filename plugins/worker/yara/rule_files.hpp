/// Finds the rule files a user means.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

/// One file of rules, as text or compiled by yarac.
struct RuleFile {
  std::filesystem::path path;
  std::string space;  ///< its YARA namespace; unique among the files
  bool compiled = false;
  std::string text;  ///< empty when compiled
};

/// The files of `given` in order: a file stands for itself, a folder for all its *.yar and *.yara
/// at any depth, in bytewise order of their paths. Throws ConfigError naming all that are amiss.
[[nodiscard]] std::vector<RuleFile> find_rule_files(const std::vector<std::string>& given);
