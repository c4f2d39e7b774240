#include "engine/rule_strings.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <elf.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/dispatcher.hpp"

namespace {

using namespace std::string_literals;
using stoq::engine::Dispatcher;
using stoq::engine::Plan;
using stoq::engine::rule_strings;

std::string rule(const std::string& strings, const std::string& condition = "any of them") {
  return "rule r { meta: plugin = \"extractor:zip\" strings: " + strings +
         " condition: " + condition + " }";
}

struct ExpressionCase {
  const char *name, *strings;
  std::vector<std::string> expressions;  ///< empty: it cannot be told
};

class RuleStrings : public testing::TestWithParam<ExpressionCase> {};

TEST_P(RuleStrings, AreToldAsExpressions) {
  const auto told = rule_strings(rule(GetParam().strings));
  ASSERT_EQ(told.has_value(), !GetParam().expressions.empty());
  if (!told) return;
  std::vector<std::string> texts;
  for (const auto& one : *told) texts.push_back((one.any_case ? "(?i)" : "") + one.text);
  EXPECT_EQ(texts, GetParam().expressions);
}

INSTANTIATE_TEST_SUITE_P(
    All, RuleStrings,
    testing::ValuesIn(std::vector<ExpressionCase>{
        {"Text", R"($a = "A\"\x01\n")", {R"(\x41\x22\x01\x0a)"}},
        {"NoCase", R"($a = "ab" nocase)", {R"((?i)\x61\x62)"}},
        {"Wide", R"($a = "ab" wide)", {R"(\x61\x00\x62\x00)"}},
        {"WideAndAscii", R"($a = "a" wide ascii)", {R"((?:\x61\x00|\x61))"}},
        {"Hex",
         "$a = { 50 4b ?? 5? ?5 ~00 }",
         {R"(\x50\x4b.[\x50-\x5f][\x05\x15\x25\x35\x45\x55\x65\x75\x85\x95\xa5\xb5\xc5\xd5\xe5\xf5][^\x00])"}},
        {"HexAlternatives",
         "$a = { 01 ( 02 | 03 04 ) // and\n 05 }",
         {R"(\x01(?:\x02|\x03\x04)\x05)"}},
        {"HexGap", "$a = { 01 [2] 02 [1-4] 03 }", {R"(\x01.{2,2}\x02.{1,4}\x03)"}},
        {"HexLongGapEnds", "$a = { 01 02 [0-1000] 03 }", {R"(\x01\x02)"}},
        {"HexOpenGapEnds", "$a = { 01 02 [-] 03 }", {R"(\x01\x02)"}},
        {"HexOpenGapWithin", "$a = { 01 ( 02 [100] 03 | 04 ) }", {}},
        {"Expression", R"($a = /a\/[0-9]{2,}/ nocase)", {R"((?i)a\/[0-9]{2,})"}},
        {"ExpressionFlags", "$a = /ab/is", {"(?i)ab"}},
        {"WideExpression", "$a = /ab/ wide", {}},
        {"Xor", R"($a = "ab" xor(0x01-0xff))", {}},
        {"Base64", R"($a = "abcd" base64)", {}},
        {"Several", R"($a = "a" /* "b" */ $ = { 01 } private)", {R"(\x61)", R"(\x01)"}},
    }),
    [](const auto& tested) { return std::string(tested.param.name); });

struct MatchCase {
  std::string strings, bytes;
  bool matches;
};

// By the YARA manual's words on each kind of string; whether they are told or searched must not
// show.
TEST(DispatchStrings, MatchAsLibyaraSays) {
  const std::vector<MatchCase> cases{
      {R"($a = "needle")", "hay needle hay", true},
      {R"($a = "needle")", "hay need hay", false},
      {R"($a = "needle")", "needle", true},
      {R"($a = "needle" nocase)", "NeEdLe", true},
      {R"($a = "needle" wide)", "n\0e\0e\0d\0l\0e\0"s, true},
      {R"($a = "needle" wide)", "needle", false},
      {R"($a = "needle" fullword)", "needles", false},
      {R"($a = "needle" xor)", "oddemd", true},
      {R"($a = { 50 4B ?? ( 05 | 06 ) [2-3] 00 })", "..PK\xff\x06zz\0.."s, true},
      {R"($a = { 50 4B ?? ( 05 | 06 ) [2-3] 00 })", "..PK\xff\x07zz\0.."s, false},
      {R"($a = { 50 4B [0-500] 5A })", "PK" + std::string(300, '.') + "Z", true},
      {R"($a = /n[e]{2}dle\d/)", "needle7", true},
      {R"($a = /n[e]{2}dle\d/)", "needle", false},
      {R"($a = /needle.{0,200}end/)", "needle" + std::string(150, '.') + "end", true},
  };
  for (const auto& one : cases) {
    for (const auto* more : {"",
                             "import \"math\" rule other { strings: $b = /x.{1,9}y/ wide "
                             "condition: $b }"}) {
      Dispatcher dispatcher({{"test", rule(one.strings) + more}});
      Dispatcher::Scanner scanner(dispatcher);
      const std::string much(50'000, '.');
      for (const auto& bytes :
           {one.bytes, one.bytes + much, much + one.bytes, much + one.bytes + much}) {
        Plan plan;
        scanner.scan(stoq::as_bytes(bytes), "", plan);
        EXPECT_EQ(plan.calls.size(), one.matches ? 1U : 0U)
            << one.strings << " and " << one.bytes << " in " << bytes.size() << " bytes";
      }
    }
  }
}

struct CountCase {
  const char *strings, *condition;
  bool holds;
};

void expect_holds(const std::vector<CountCase>& cases, std::string_view bytes) {
  for (const auto& one : cases) {
    Dispatcher dispatcher({{"test", rule(one.strings, one.condition)}});
    Dispatcher::Scanner scanner(dispatcher);
    Plan plan;
    scanner.scan(stoq::as_bytes(bytes), "", plan);
    EXPECT_EQ(plan.calls.size(), one.holds ? 1U : 0U) << one.strings << ": " << one.condition;
  }
}

// Counts, places and what is read beside them, where strings stand far apart.
TEST(DispatchStrings, AreCountedAndPlacedInLargePayloads) {
  std::string bytes(std::size_t{1} << 20U, '.');
  for (const auto at : {std::size_t{0}, std::size_t{99}, std::size_t{500'000}, std::size_t{500'040},
                        bytes.size() - 6}) {
    bytes.replace(at, 6, "needle");
  }
  bytes.replace(700'000, 8, "sneedles");
  const std::vector<CountCase> cases{
      {R"($a = "needle")", "#a == 6 and @a[1] == 0 and @a[2] == 99 and @a[5] == 700001", true},
      {R"($a = "needle" fullword)", "#a == 5 and @a[5] == filesize - 6", true},
      {R"($a = "needle")", "$a at 500040 and uint8(500039) == 0x2e and uint8(1000) == 0x2e", true},
      {R"($a = "needle")", "$a in (101 .. 499999)", false},
      {R"($a = "needle" $b = "eed")", "#a == 6 and #b == 6 and @b[3] == 500001", true},
      {R"($a = /ne+dle/)", "#a == 6 and !a[6] == 6", true},
      {R"($a = /^needle/)", "#a == 1", true},
      {R"($a = "never")", "not $a and uint8(filesize - 1) == 0x65", true},
  };
  expect_holds(cases, bytes);
}

// Above 64 MiB only the two ends are searched and read.
TEST(DispatchStrings, OfHugePayloadsAreLookedForAtTheEnds) {
  constexpr std::size_t mib = std::size_t{1} << 20U;
  std::string bytes(65 * mib, '.');
  for (const auto at : {5 * mib, 20 * mib, bytes.size() - 100}) bytes.replace(at, 6, "needle");
  const std::vector<CountCase> cases{
      {R"($a = "needle")", "#a == 2 and @a[1] == 5242880 and @a[2] == filesize - 100", true},
      {R"($a = "needle")", "$a and uint8(5242880) == 0x6e and uint8(filesize - 100) == 0x6e", true},
      {R"($a = "needle")", "$a and uint8(20971520) == 0x6e", false},
      {R"($a = "never")", "not $a and uint8(filesize - 100) == 0x6e", true},
      {R"($a = "needle" $b = "never" xor)", "#a == 2 and not $b",
       true},  // libyara searches, not the filter
  };
  expect_holds(cases, bytes);
}

// Where a program starts is found out while it is searched.
TEST(DispatchStrings, DoNotHideTheEntryPoint) {
  Elf64_Ehdr header{};
  std::copy_n(ELFMAG, SELFMAG, header.e_ident);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_entry = 0x400100;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_vaddr = 0x400000;
  segment.p_filesz = segment.p_memsz = 0x1000;
  std::string program(100'000, '.');
  std::memcpy(program.data(), &header, sizeof header);
  std::memcpy(program.data() + header.e_phoff, &segment, sizeof segment);
  for (const auto* strings : {"$a = \"never\"", "$a = { 7f 45 4c 46 }"}) {
    Dispatcher dispatcher({{"test", rule(strings, "entrypoint == 0x100 and #a >= 0")}});
    Dispatcher::Scanner scanner(dispatcher);
    Plan plan;
    scanner.scan(stoq::as_bytes(program), "", plan);
    EXPECT_EQ(plan.calls.size(), 1U) << strings;
  }
  const auto included = std::filesystem::path(testing::TempDir()) /
                        ("stoq_entry_point" + std::to_string(::getpid()) + ".yar");
  std::ofstream(included)
      << R"(rule r { meta: plugin = "extractor:zip" condition: entrypoint == 0x100 })";
  Dispatcher dispatcher({{"test", "include \"" + included.string() + "\""}});
  Dispatcher::Scanner scanner(dispatcher);
  Plan plan;
  scanner.scan(stoq::as_bytes(program), "", plan);
  EXPECT_EQ(plan.calls.size(), 1U) << "included";
  std::filesystem::remove(included);
}

// Without a string in sight conditions still read the payload, and its size.
TEST(DispatchStrings, ConditionsReadWhatIsNotSearched) {
  Dispatcher dispatcher({{"one", rule("$a = \"never\"",
                                      "not $a and uint16be(2) == 0x6364 and "
                                      "uint8(filesize - 1) == 0x66")},
                         {"two", rule("$a = \"cd\"", "@a[1] == 2")}});
  Dispatcher::Scanner scanner(dispatcher);
  Plan plan;
  scanner.scan(stoq::as_bytes(std::string_view("abcdef")), "", plan);
  ASSERT_EQ(plan.calls.size(), 1U);  // both ask for the same call
  EXPECT_EQ(plan.calls[0].offset, -1);
  scanner.scan(stoq::as_bytes(std::string_view("..cd..")), "", plan);
  ASSERT_EQ(plan.calls.size(), 1U);
  EXPECT_EQ(plan.calls[0].offset, 2);
  scanner.scan(stoq::as_bytes(std::string_view("......")), "", plan);
  EXPECT_TRUE(plan.calls.empty());
}

}  // namespace
