#include "engine/yara_trial.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <yara.h>

#include <stoq/bytes.hpp>

#include "engine/rule_condition.hpp"
#include "engine/yara_scan.hpp"

namespace stoq::engine {
namespace {

constexpr const char* parts_rules = R"(
rule reads { condition: uint32be(0) == 0x73746f71 and uint8(filesize - 1) == 0x21 and filesize == 18 }
rule finds { strings: $a = "trial" condition: #a == 1 and @a == 11 and uint8(@a - 1) == 0x20 }
rule searches { strings: $a = "trial" condition: $a in (0 .. 10) }
)";
constexpr std::string_view parts_text = "stoq trial trial !";
constexpr std::array searched_parts{Part{2, 6}, Part{10, 17}};

// Rules over four bytes, 1 2 3 4.
constexpr const char* condition_rules = R"(
rule a { condition: not (uint8(9) == 1) }
rule b { condition: uint8(9) == 1 or uint8(0) == 1 }
rule c { condition: uint8(0) == 1 or uint8(9) == 1 }
rule d { condition: not (uint8(9) == 1 and uint8(0) == 1) }
rule e { condition: uint32(1) == uint32(1) }
rule f { condition: not (uint8(9) == 1 or uint8(9) == 2) }
rule g { condition: for all i in (3 .. 4) : ( uint8(i) != 9 ) }
rule h { condition: for any i in (3 .. 4) : ( uint8(i) == 4 ) }
rule i { condition: not (for all i in (8 .. 9) : ( uint8(i) == 4 )) }
rule j { condition: 1 << 64 == 0 and -1 >> 1 == -1 and 1 << 63 < 0 }
rule k { condition: not (1 << (uint8(0) - 2) == 0) }
rule l { condition: uint8(uint8(0) - 2) == 1 or int8(0) == 1 }
rule m { condition: 1 | 2 ^ 3 & 2 == 1 and 2 + 3 * 2 == 8 and 1 << 1 + 1 == 4 }
rule n { condition: not uint8(0) == 2 and filesize == 4 }
rule o { condition: not (uint8(9) == 1 or false) }
rule p { condition: not (false or uint8(9) == 1) }
)";

using Rules = std::unique_ptr<YR_RULES, int (*)(YR_RULES*)>;

/// Both sets, in namespaces: a compiler clears several MiB, however few its rules are.
Rules compile() {
  YR_COMPILER* compiler = nullptr;
  YR_RULES* compiled = nullptr;
  if (yr_compiler_create(&compiler) != ERROR_SUCCESS) return {nullptr, yr_rules_destroy};
  const std::unique_ptr<YR_COMPILER, void (*)(YR_COMPILER*)> owned(compiler, yr_compiler_destroy);
  if (yr_compiler_add_string(compiler, parts_rules, "parts") == 0 &&
      yr_compiler_add_string(compiler, condition_rules, "conditions") == 0) {
    yr_compiler_get_rules(compiler, &compiled);
  }
  return {compiled, yr_rules_destroy};
}

/// The names of the rules of one namespace that match, one behind the other.
struct Matched {
  std::string_view space;
  std::string names;
};

int note(YR_SCAN_CONTEXT* /*context*/, int message, void* data, void* user) {
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;  // there is no rule then
  auto& matched = *static_cast<Matched*>(user);
  const auto& rule = *static_cast<const YR_RULE*>(data);
  if (matched.space == rule.ns->name) matched.names += rule.identifier;
  return CALLBACK_CONTINUE;
}

bool searches_parts(YR_RULES* rules) {
  YR_SCANNER* raw = nullptr;
  if (yr_scanner_create(rules, &raw) != ERROR_SUCCESS) return false;
  const std::unique_ptr<YR_SCANNER, void (*)(YR_SCANNER*)> scanner(raw, yr_scanner_destroy);
  Matched matched{"parts", {}};
  yr_scanner_set_callback(raw, note, &matched);
  yr_scanner_set_flags(raw, SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
  const auto bytes = as_bytes(parts_text);
  const Part whole{0, bytes.size()};
  const auto matches = [&](std::span<const Part> searched) {
    matched.names.clear();
    const bool done = yara_scan(raw, bytes, searched, {&whole, 1}) == ERROR_SUCCESS;
    return done ? matched.names : "failed";
  };
  return matches(searched_parts) == "readsfinds" && matches({}) == "reads" &&
         matches({&whole, 1}) == "readssearches";
}

bool agrees_on_conditions(YR_RULES* rules) {
  constexpr std::array<std::uint8_t, 4> four{1, 2, 3, 4};
  Matched matched{"conditions", {}};
  if (yr_rules_scan_mem(rules, four.data(), four.size(), SCAN_FLAGS_NO_TRYCATCH, note, &matched,
                        0) != ERROR_SUCCESS) {
    return false;
  }
  const auto conditions = rule_conditions(condition_rules);
  if (!conditions) return false;
  const auto bytes = std::as_bytes(std::span(four));
  const Part whole{0, bytes.size()};
  std::string holding;
  for (std::size_t i = 0; i < conditions->size(); ++i) {
    if ((*conditions)[i].holds(bytes, {&whole, 1})) holding += static_cast<char>('a' + i);
  }
  return holding == matched.names;
}

}  // namespace

YaraTrial try_yara() {
  const auto rules = compile();
  if (!rules) return {};
  return {searches_parts(rules.get()), agrees_on_conditions(rules.get())};
}

}  // namespace stoq::engine
