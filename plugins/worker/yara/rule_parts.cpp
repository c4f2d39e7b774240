#include "rule_parts.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <string_view>
#include <utility>

#include "rule_gate.hpp"
#include "rule_text.hpp"

namespace {

using Key = std::set<std::string>;

/// Modules that cost a scan little, whatever the payload: no reason to keep rules of them apart.
constexpr std::array cheap_modules{"console", "hash", "math", "string", "time"};

bool uses_module(const RuleText& rule, std::string_view module) {
  for (std::size_t i = 0; i + 1 < rule.condition.size(); ++i) {
    if (rule.condition[i].text == module && rule.condition[i + 1].text == ".") return true;
  }
  return false;
}

bool uses_costly_module(const RuleText& rule, const std::vector<ImportText>& imports) {
  return std::any_of(imports.begin(), imports.end(), [&](const ImportText& import) {
    return std::find(cheap_modules.begin(), cheap_modules.end(), import.module) ==
               cheap_modules.end() &&
           uses_module(rule, import.module);
  });
}

/// Which rules must stay together, since one asks whether the other matched: by name, or by the
/// first letters of it (`any of (name*)`).
class Bonds {
 public:
  explicit Bonds(const std::vector<RuleText>& rules) : group_(rules.size()) {
    std::iota(group_.begin(), group_.end(), std::size_t{0});
    std::map<std::string_view, std::size_t> by_name;
    for (std::size_t i = 0; i < rules.size(); ++i) by_name.emplace(rules[i].name, i);
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const auto& condition = rules[i].condition;
      for (std::size_t n = 0; n < condition.size(); ++n) {
        const std::string_view word = condition[n].text;
        if (word.empty()) continue;
        if (const auto found = by_name.find(word); found != by_name.end()) join(i, found->second);
        if (n + 1 == condition.size() || condition[n + 1].text != "*") continue;
        for (auto found = by_name.lower_bound(word);
             found != by_name.end() && found->first.starts_with(word); ++found) {
          join(i, found->second);
        }
      }
    }
  }
  /// The same number for rules that belong together.
  std::size_t group(std::size_t rule) {
    while (group_[rule] != rule) rule = group_[rule] = group_[group_[rule]];
    return rule;
  }

 private:
  void join(std::size_t a, std::size_t b) { group_[group(a)] = group(b); }

  std::vector<std::size_t> group_;
};

void blank(std::string& text, std::size_t begin, std::size_t end) {
  const auto at = [&](std::size_t i) { return text.begin() + static_cast<std::ptrdiff_t>(i); };
  std::replace_if(
      at(begin), at(end), [](char c) { return c != '\n'; }, ' ');
}

/// The file with the rules of `places` (ascending) alone, and what they import.
std::string text_of(std::string text, const RuleTexts& texts,
                    const std::vector<std::size_t>& places) {
  for (std::size_t i = 0; i < texts.rules.size(); ++i) {
    if (std::binary_search(places.begin(), places.end(), i)) continue;
    blank(text, texts.rules[i].begin, texts.rules[i].end);
  }
  for (const auto& import : texts.imports) {
    const bool used = std::any_of(places.begin(), places.end(), [&](std::size_t i) {
      return uses_module(texts.rules[i], import.module);
    });
    if (!used) blank(text, import.begin, import.end);
  }
  return text;
}

/// What a payload must begin with for the rule to match, if that is worth knowing.
Key key_of(const RuleText& rule, const std::vector<ImportText>& imports) {
  if (!uses_costly_module(rule, imports)) return {};
  return required_prefixes(rule.condition).value_or(Key{});
}

}  // namespace

std::vector<RulePart> split_rules(const RuleFile& file) {
  const auto texts = read_rule_texts(file.text);
  if (!texts) return {{file.text, {}, {}}};
  Bonds bonds(texts->rules);
  std::map<std::size_t, Key> key_of_group;
  for (std::size_t i = 0; i < texts->rules.size(); ++i) {
    const auto key = key_of(texts->rules[i], texts->imports);
    const auto [found, is_new] = key_of_group.emplace(bonds.group(i), key);
    if (!is_new && found->second != key) found->second.clear();
  }
  std::map<Key, std::vector<std::size_t>> parts;
  for (std::size_t i = 0; i < texts->rules.size(); ++i) {
    parts[key_of_group.at(bonds.group(i))].push_back(i);
  }
  std::vector<RulePart> split;
  for (auto& [key, places] : parts) {
    split.push_back({text_of(file.text, *texts, places), std::move(places), key});
  }
  return split;
}
