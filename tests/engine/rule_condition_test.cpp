#include "engine/rule_condition.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <ostream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <yara.h>

#include "engine/dispatcher.hpp"
#include "engine/yara_trial.hpp"

namespace {

using stoq::engine::Condition;
using stoq::engine::Dispatcher;
using stoq::engine::Part;
using stoq::engine::Plan;
using stoq::engine::rule_conditions;

constexpr std::string_view sigils = "$#@!";

/// With the strings that its condition names: libyara takes no others.
std::string rule(const std::string& condition, const std::string& name = "r") {
  const bool all = condition.find("them") != condition.npos;
  const auto asked = [&](char string) {
    return all || std::any_of(sigils.begin(), sigils.end(), [&](char sigil) {
             return condition.find(std::string{sigil, string}) != condition.npos;
           });
  };
  std::string strings;
  if (asked('a')) strings += "$a = \"needle\" ";
  if (asked('b')) strings += "$b = { 01 /* } */ FF } ";
  return "rule " + name + " { meta: plugin = \"extractor:zip\" number = \"" + name + "\" " +
         (strings.empty() ? "" : "strings: " + strings) + "condition: " + condition + " }\n";
}

/// A rule that is never told and never holds: libyara evaluates all that stand beside it.
constexpr const char* not_told = "rule by_libyara { condition: filesize % 2 == 3 }\n";

/// One source's rules, ready to be asked which of them hit.
class Rules {
 public:
  explicit Rules(const std::string& source) : dispatcher_({{"test", source}}) {}
  std::string hit(std::string_view bytes) {
    Plan plan;
    scanner_.scan(stoq::as_bytes(bytes), "", plan);
    std::string names;
    for (const auto& call : plan.calls) names += call.rule->name + " ";
    return names;
  }

 private:
  Dispatcher dispatcher_;
  Dispatcher::Scanner scanner_{dispatcher_};
};

struct Case {
  std::string name, condition;
  bool holds;
};

void PrintTo(const Case& tested, std::ostream* out) { *out << tested.condition; }

class Conditions : public testing::TestWithParam<Case> {};

// Over "stoq!" and zeros up to ten bytes, without any of the strings.
TEST_P(Conditions, HoldAsTheManualSays) {
  std::string bytes = "stoq!";
  bytes.resize(10);
  const auto conditions = rule_conditions(rule(GetParam().condition));
  ASSERT_TRUE(conditions);
  ASSERT_EQ(conditions->size(), 1U);
  const Part whole{0, bytes.size()};
  EXPECT_EQ(conditions->front().holds(stoq::as_bytes(bytes), {&whole, 1}), GetParam().holds);
  for (const auto* beside : {"", not_told}) {
    EXPECT_EQ(Rules(rule(GetParam().condition) + beside).hit(bytes), GetParam().holds ? "r " : "");
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Conditions,
    testing::ValuesIn(std::vector<Case>{
        {"Byte", "uint8(0) == 0x73", true},
        {"Word", "uint16(0) == 0x7473 and uint16be(0) == 0x7374", true},
        {"Double", "uint32(0) == 0x716f7473 and uint32be(0) == 0x73746f71", true},
        {"Signed", "int8(0) == 115 and int16be(0) == 0x7374 and int32(6) == 0", true},
        {"Size", "filesize == 10 and filesize > 9 and filesize <= 10 and filesize < 1KB", true},
        {"End", "uint8(filesize - 1) == 0 and uint8(filesize - 6) == 0x21", true},
        {"PastTheEnd", "uint8(10) == 0 or uint16(9) == 0 or uint32(7) == 0", false},
        {"JustBefore", "uint8(9) == 0 and uint16(8) == 0 and uint32(6) == 0", true},
        {"BeforeTheStart", "uint8(0 - 1) == 0", false},
        {"At", "uint8(uint8(9)) == 0x73", true},
        {"Precedence", "1 | 6 ^ 2 & 3 == 5 and 2 + 3 * 4 - 1 == 13 and 1 << 2 + 1 == 8", true},
        {"Parentheses", "(2 + 3) * 4 == 20 and (1 == 1 or 1 == 2) and not (1 == 2)", true},
        {"Unary", "-1 < 0 and ~0 == -1 and 3 - -2 == 5", true},
        {"Shift", "0x80 >> 7 == 1 and uint8(0) << 8 == 0x7300", true},
        {"OrBeforeAnd", "1 == 1 or 1 == 2 and 1 == 2", true},
        {"NotBeforeAnd", "not 1 == 2 and 2 == 2", true},
        {"Comments", "uint8(0) == 0x73 // not 0\n and /* nor */ true", true},
        {"False", "false or not true", false},
        {"All", "for all i in (0 .. 3) : ( uint8(i) >= 0x61 and uint8(i) <= 0x7a )", true},
        {"NotAll", "for all i in (0..4) : (uint8(i) >= 0x61)", false},
        {"Any", "for any n in (1 .. 9) : ( uint8(n) == 0x21 )", true},
        {"NotAny", "for any n in (5 .. 9) : ( uint8(n) == 0x21 )", false},
        {"AnyPastTheEnd", "for any n in (5 .. 99) : ( uint8(n) == 0x21 )", false},
        {"Nested", "for all i in (0 .. 1) : ( for any k in (3 .. 4) : ( uint8(i) != uint8(k) ) )",
         true},
        {"String", "$a", false},
        {"NoString", "not $a and #b == 0", true},
        {"StringAt", "$a at 0 or $b in (0 .. filesize)", false},
        {"Strings", "any of them or all of ($a, $b) or 1 of them", false},
        {"Place", "@a == 0 or @a[1] > 0 or !b[1] >= 0", false},
        {"Matches", "$a and for any i in (1 .. #a) : ( @a[i] > 0 )", false},
        {"MatchesOr", "(for any i in (1 .. #a) : ( @a[i] > 0 )) or uint8(0) == 0x73", true},
    }),
    [](const auto& tested) { return tested.param.name; });

// What is not understood is left to libyara, with all of its source.
TEST(Conditions, AreNotToldByHalves) {
  for (const auto* condition :
       {"entrypoint == 0", "filesize % 2 == 0", "filesize \\ 2 == 5", "filesize", "1.5 > 1",
        "defined uint8(0)", "none of them", "2 of them in (0 .. 9)", "#a in (0 .. 9) == 0", "other",
        "for any of them : ( $ at 0 )", "for all i in (0, 1) : ( uint8(i) == 0 )",
        "for 2 i in (0 .. 3) : ( uint8(i) == 0 )",
        "for all i in (0 .. filesize) : ( uint8(i) == 0 )",
        "not (for any i in (1 .. #a) : ( @a[i] > 0 ))", "$a == 1", "uint8(0) == 0x73 and",
        "math.entropy(0, filesize) > 7"}) {
    EXPECT_FALSE(rule_conditions(rule("true") + rule(condition, "s"))) << condition;
  }
  for (const auto* source :
       {"import \"math\" rule r { condition: true }",
        "include \"other.yar\" rule r { condition: true }", "private rule r { condition: true }",
        "global rule r { condition: true }", "rule r { condition: true"}) {
    EXPECT_FALSE(rule_conditions(source)) << source;
  }
}

// libyara 4.2 is what they were written by; another may mean something else by what is not there,
// and then evaluates all conditions itself.
TEST(Conditions, AgreeWithThisLibyara) {
  ASSERT_EQ(yr_initialize(), ERROR_SUCCESS);
  const auto trial = stoq::engine::try_yara();
  const bool agrees = trial.agrees_on_conditions;
  yr_finalize();
  const bool known = YR_MAJOR_VERSION == 4 && YR_MINOR_VERSION == 2;
  if (!agrees && !known) {
    GTEST_SKIP() << "libyara " << YR_VERSION << " evaluates the conditions of dispatch rules";
  }
  EXPECT_TRUE(agrees);
  EXPECT_TRUE(trial.searches_parts);
}

// --- The same as libyara -----------------------------------------------------------------------

/// Writes conditions by chance.
class Writer {
 public:
  explicit Writer(std::uint32_t seed) : random_(seed) {}

  std::string truth(unsigned depth) {
    switch (depth == 0 ? below(4) : below(9)) {
      case 0:
        return number(1) + " == " + number(1);
      case 1:
        return number(1) + one_of({" != ", " < ", " <= ", " > ", " >= "}) + number(1);
      case 2:
        return std::string("uint8(") + place() + ") == " + std::to_string(below(4));
      case 3:
        return one_of({"true", "$a", "#a == 0", "$a at 3", "any of them"});
      case 4:
        return "not " + truth_in_parentheses(depth);
      case 5:
        return "for " + one_of({"all", "any"}) + loop(depth);
      default:
        return truth_in_parentheses(depth) + one_of({" and ", " or "}) +
               truth_in_parentheses(depth);
    }
  }

  std::string bytes() {
    std::string made(below(24), '\0');
    for (auto& c : made) c = static_cast<char>(below(10) == 0 ? below(256) : below(4));
    return made;
  }

 private:
  unsigned below(unsigned end) { return std::uniform_int_distribution(0U, end - 1)(random_); }
  std::string one_of(std::initializer_list<const char*> these) {
    return *(these.begin() + below(static_cast<unsigned>(these.size())));
  }
  std::string truth_in_parentheses(unsigned depth) { return "(" + truth(depth - 1) + ")"; }
  std::string place() {
    const auto at = std::to_string(below(26));
    if (variables_ > 0 && below(2) == 0) return "v" + std::to_string(below(variables_));
    return one_of({"", "filesize - "}) + at;
  }
  std::string loop(unsigned depth) {
    if (variables_ == 2) return truth_loop("0");  // libyara takes no more than two of these
    const auto name = "v" + std::to_string(variables_);
    const auto from = below(20);
    ++variables_;
    auto body = truth_in_parentheses(depth);
    --variables_;
    return " " + name + " in (" + std::to_string(from) + " .. " + std::to_string(from + below(5)) +
           ") : " + body;
  }
  static std::string truth_loop(const std::string& of) {
    return " w in (" + of + " .. 1) : ( uint8(w) == 1 )";
  }
  std::string number(unsigned depth) {
    if (depth == 0) return std::to_string(below(5));
    switch (below(5)) {
      case 0:
        return "filesize";
      case 1:
        return one_of({"uint8", "uint16", "uint32", "int8", "int16be", "uint32be"}) + "(" +
               place() + ")";
      case 2:
        return "(" + number(depth - 1) + one_of({" + ", " - ", " * ", " & ", " | ", " ^ "}) +
               number(depth) + ")";
      default:
        return number(depth - 1);
    }
  }

  std::mt19937 random_;
  unsigned variables_ = 0;
};

TEST(Conditions, AreWhatLibyaraSaysOfAnyOfThem) {
  Writer writer(2026);
  unsigned held = 0;
  for (unsigned round = 0; round < 12; ++round) {
    std::string source;
    for (unsigned i = 0; i < 40; ++i) source += rule(writer.truth(3), "r" + std::to_string(i));
    ASSERT_TRUE(rule_conditions(source)) << source;
    Rules told(source), asked(source + not_told);
    for (unsigned i = 0; i < 40; ++i) {
      const auto bytes = writer.bytes();
      const auto by_libyara = asked.hit(bytes);
      ASSERT_EQ(told.hit(bytes), by_libyara) << source << testing::PrintToString(bytes);
      held += static_cast<unsigned>(std::count(by_libyara.begin(), by_libyara.end(), ' '));
    }
  }
  EXPECT_GT(held, 2000U);  // of 19,200: neither all nor none
  EXPECT_LT(held, 17000U);
}

std::string shipped_rules() {
  const std::ifstream file(STOQ_SOURCE_DISPATCHER);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Conditions, OfTheShippedRulesAreTold) {
  const auto source = shipped_rules();
  const auto conditions = rule_conditions(source);
  ASSERT_TRUE(conditions);
  EXPECT_GT(conditions->size(), 30U);
}

// Each rule's first bytes, and what differs from them in one place.
TEST(Conditions, OfTheShippedRulesAreWhatLibyaraSays) {
  const auto source = shipped_rules();
  const Dispatcher told({{"told", source}}), by_libyara({{"by libyara", source + not_told}});
  Dispatcher::Scanner told_scanner(told), libyara_scanner(by_libyara);
  const std::vector<std::string_view> heads{"PK\3\4",
                                            "PK\5\6",
                                            "PK\7\x08PK\3\4",
                                            "7z\xbc\xaf\x27\x1c",
                                            "Rar!\x1a\7",
                                            "MSCF",
                                            "0707020",
                                            "\xc7\x71",
                                            "!<arch>\n",
                                            "..-lh5-",
                                            "xar!\0\x1c",
                                            "WARC/1.0",
                                            "\xed\xab\xee\xdb",
                                            "\x1f\x8b\x08",
                                            "BZh91AY&SY",
                                            "\xfd\x37zXZ",
                                            "\x5d\0\0\x80\0",
                                            "LZIP\1",
                                            "\x28\xb5\x2f\xfd",
                                            "\x04\x22\x4d\x18",
                                            "\x78\x9c\1",
                                            "\x1f\x9d\x90",
                                            "\x89LZO\0",
                                            "a plain text",
                                            "MZ\x90",
                                            "\x7f"
                                            "ELF",
                                            "%PDF-1.4",
                                            "{\\rtf1",
                                            "CWS\7",
                                            "\xd0\xcf\x11\xe0",
                                            "\xef\xbb\xbf"
                                            "text"};
  std::mt19937 random(7);
  std::size_t planned = 0;
  for (const auto head : heads) {
    for (const auto size :
         {std::size_t{0}, std::size_t{9}, std::size_t{30}, std::size_t{600}, std::size_t{33000}}) {
      for (unsigned round = 0; round < 8; ++round) {
        std::string bytes(head);
        bytes.resize(std::max(size, head.size()));
        if (round > 0) bytes[random() % bytes.size()] = static_cast<char>(random());
        if (round > 4 && size >= 600) bytes.replace(257, 5, "ustar");
        Plan one, other;
        told_scanner.scan(stoq::as_bytes(bytes), "", one);
        libyara_scanner.scan(stoq::as_bytes(bytes), "", other);
        ASSERT_EQ(one.type, other.type) << testing::PrintToString(head) << size;
        ASSERT_EQ(one.calls.size(), other.calls.size()) << testing::PrintToString(head) << size;
        for (std::size_t i = 0; i < one.calls.size(); ++i) {
          EXPECT_EQ(one.calls[i].target->key, other.calls[i].target->key);
        }
        planned += one.calls.size();
      }
    }
  }
  EXPECT_GT(planned, 1500U);
}

}  // namespace
