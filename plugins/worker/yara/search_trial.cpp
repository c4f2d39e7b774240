#include "search_trial.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <yara.h>

#include "needle_finder.hpp"
#include "needles.hpp"
#include "partial_search.hpp"

namespace {

/// One string of each kind; where they stand shows in the offsets that are compared.
constexpr const char* rules_text = R"(
rule texts {
  strings:
    $plain = "trial plain text"
    $nocase = "Trial NoCase" nocase
    $wide = "trial wide" wide
    $both = "trial both" ascii wide nocase
    $word = "trialword" fullword
    $xor = "trial xor" xor(1-3)
    $base64 = "trial of base64" base64
    $at = "begin" fullword
    $one = "\x01"
  condition: any of them and $at at 0
}
rule codes {
  strings:
    $nibbles = { 74 72 69 6? 6C ?? 68 65 78 [2-6] 7A }
    $choice = { 68 65 78 31 ( 41 | 42 43 | 44 45 46 ) 31 78 65 68 }
    $wait = { 77 61 69 74 31 [9-180] 77 61 69 74 32 }
    $gap = { 67 61 70 31 [4-600] 67 61 70 32 }
  condition: any of them
}
rule expressions {
  strings:
    $class = /trial-[a-z0-9_]{2,20}-[xyz]{3}!/
    $star = /trial<[^>]*>/
    $start = /^begin/
    $end = /end$/
    $edge = /\bedge[0-9]+\b/
    $choice = /(http|tcp):\/\/([a-z]+\.){1,3}(org|net)/ nocase
    $wide = /wide[0-9]{2,4}x/ wide
    $far = /far1.{0,400}far2/
  condition: any of them
}
rule bytes { condition: uint16be(0) == 0x6265 and uint8(filesize - 1) == 0x64 and not defined entrypoint }
rule absent { strings: $a = "not there" condition: not $a and #a == 0 }
)";

/// What they match and what they nearly match, far enough apart for windows of their own.
std::string trial_payload() {
  using namespace std::string_view_literals;
  constexpr std::array pieces{"trial plain text"sv,
                              "trial plain texT"sv,
                              "tRIAL nocASE"sv,
                              "t\0r\0i\0a\0l\0 \0w\0i\0d\0e\0"sv,
                              "trial BOTH"sv,
                              "T\0r\0i\0a\0l\0 \0b\0o\0t\0h\0"sv,
                              "trialword"sv,
                              "trialwords"sv,
                              "atrialword"sv,
                              "vpkcn\"zmp"sv,
                              "dHJpYWwgb2YgYmFzZTY0"sv,
                              "\x01"sv,
                              "trialxhex12345z"sv,
                              "hex1BC1xeh"sv,
                              "gap1---gap2----gap2"sv,
                              "gap1"sv,
                              "gap2"sv,
                              "trial-abc_19-zyx!"sv,
                              "trial-a-zyx!"sv,
                              "begin"sv,
                              "end"sv,
                              "edge12"sv,
                              "hedge12"sv,
                              "edge12s"sv,
                              "HTTP://www.Example.Org"sv,
                              "w\0i\0d\0e\0001\0002\0x\0"sv,
                              "far1 and far2"sv,
                              "trial<a b c>"sv,
                              "begin to end"sv};
  std::string payload = "begin";
  payload.append(320, '.');
  (payload += "wait1").append(180, '.') += "wait2";
  for (const auto piece : pieces) {
    payload.append(320, '.');
    payload += piece;
  }
  return payload;
}

struct DestroyCompiler {
  void operator()(YR_COMPILER* compiler) const noexcept { ::yr_compiler_destroy(compiler); }
};
struct DestroyRules {
  void operator()(YR_RULES* rules) const noexcept { ::yr_rules_destroy(rules); }
};
struct DestroyScanner {
  void operator()(YR_SCANNER* scanner) const noexcept { ::yr_scanner_destroy(scanner); }
};

std::unique_ptr<YR_RULES, DestroyRules> trial_rules() {
  YR_COMPILER* raw = nullptr;
  if (::yr_compiler_create(&raw) != ERROR_SUCCESS) return nullptr;
  const std::unique_ptr<YR_COMPILER, DestroyCompiler> compiler(raw);
  YR_RULES* rules = nullptr;
  if (::yr_compiler_add_string(raw, rules_text, nullptr) != 0 ||
      ::yr_compiler_get_rules(raw, &rules) != ERROR_SUCCESS) {
    return nullptr;
  }
  return std::unique_ptr<YR_RULES, DestroyRules>(rules);
}

/// Writes down what matches.
int note(YR_SCAN_CONTEXT* context, int message, void* data, void* user) {
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
  const auto* const rule = static_cast<const YR_RULE*>(data);
  auto& notes = *static_cast<std::string*>(user);
  notes += rule->identifier;
  const YR_STRING* string = nullptr;
  yr_rule_strings_foreach(rule, string) {
    const YR_MATCH* match = nullptr;
    yr_string_matches_foreach(context, string, match) {
      ((notes += ' ') += string->identifier) += '@';
      notes += std::to_string(match->base + match->offset) + '+';
      notes += std::to_string(match->match_length);
    }
  }
  notes += '\n';
  return CALLBACK_CONTINUE;
}

}  // namespace

bool windows_find_the_same() {
  const auto rules = trial_rules();
  if (!rules) return false;
  const auto needles = needles_of(*rules);
  if (!needles) return false;
  const std::array<const Needles*, 1> sets{&*needles};
  const auto finder = NeedleFinder::make(sets);
  YR_SCANNER* raw = nullptr;
  if (!finder || ::yr_scanner_create(rules.get(), &raw) != ERROR_SUCCESS) return false;
  const std::unique_ptr<YR_SCANNER, DestroyScanner> scanner(raw);
  constexpr int flags = SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING;

  const auto payload = trial_payload();
  const auto bytes = stoq::as_bytes(payload);
  std::string whole, parts;
  ::yr_scanner_set_flags(raw, flags);
  ::yr_scanner_set_callback(raw, &note, &whole);
  if (::yr_scanner_scan_mem(raw, reinterpret_cast<const std::uint8_t*>(payload.data()),
                            payload.size()) != ERROR_SUCCESS) {
    return false;
  }
  NeedleFinder::Scratch scratch(*finder);
  finder->find(bytes, scratch);
  ::yr_scanner_set_callback(raw, &note, &parts);
  return search_windows(raw, bytes, scratch.windows(0), flags) == ERROR_SUCCESS && whole == parts;
}
