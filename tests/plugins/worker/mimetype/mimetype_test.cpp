// Rules of magic and payloads made at random: what the plugin says of them beside what libmagic
// says.
#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <magic.h>
#include <unistd.h>

#include "plugins/loaded_plugin.hpp"
#include "support/json.hpp"

namespace {

namespace fs = std::filesystem;
using namespace std::string_literals;
using stoq::testing::LoadedPlugin;
using Words = std::vector<std::string>;

class Chance {
 public:
  explicit Chance(std::uint32_t seed) : generator_(seed) {}

  std::size_t below(std::size_t count) { return generator_() % count; }
  bool one_in(std::size_t count) { return below(count) == 0; }
  const std::string& of(const Words& words) { return words[below(words.size())]; }
  /// Each of the letters or not.
  std::string some_of(std::string_view letters) {
    std::string some;
    for (const char c : letters) {
      if (one_in(6)) some += c;
    }
    return some;
  }

 private:
  std::mt19937 generator_;
};

// What rules ask for is often there.
const Words patterns{"ab",   "AB",    "a\\ b",   "A\\ \\ b", "foo", "Foo\\ bar", "x",
                     "\\nb", "a\\nb", "a\\x00b", "\\x01",    "0",   "main(",     "\\ x"};
const Words expressions{"a",       "^a",         "b$",           "[ab]+", "a.b",    "^[^a]",
                        "x|foo",   "(foo|ba)+x", "^$",           "b*c",   "a{2}",   "F",
                        "[^\\n]b", "\\^foo.*$",  "[[:space:]]a", "a\\ b", "^(a|x)", "^\\ *b"};
const Words pieces{"ab", "AB", "a b", "A  b", "foo",   "Foo bar", "x", "\n", "\n\n", "\r\n",
                   "\r", " ",  "\t",  "0",    "main(", "aab",     ".", "b",  "é"};
const Words binary_pieces{"\0"s, "\1"s, "\4\0"s, "a\0b\0"s, "\0\0\0\1"s, "\xff", "\xe9"};

std::string offset(Chance& chance, std::size_t level) {
  const Words places{"0", "0", "1", "2", "4", "7", "10", "30"};
  const bool is_relative = level != 0 && chance.one_in(3);
  if (chance.one_in(6)) {
    const Words operations{"", "+1", "-1", "*2", "&3", "%3"};
    const Words kinds{"b", "s", "S", "l", "L"};
    return (is_relative ? "&"s : ""s) + "(" + chance.of(places) + "." + chance.of(kinds) +
           chance.of(operations) + ")";
  }
  if (is_relative) return "&" + (chance.one_in(4) ? "-"s : ""s) + chance.of({"0", "1", "2"});
  return chance.of(places);
}

std::string number_test(Chance& chance) {
  const Words types{"byte", "short", "leshort", "beshort", "long", "lelong", "belong", "bequad"};
  const Words masks{"", "", "&0x7", "|1", "^3", "+2", "-1", "*2", "/2", "%7"};
  const Words relations{"", "=", "!", "<", ">", "&", "^"};
  const auto value = chance.of({"0", "1", "2", "0x61", "0x20", "10", "0x62", "100"});
  return (chance.one_in(3) ? "u"s : ""s) + chance.of(types) + chance.of(masks) + "\t" +
         (chance.one_in(8) ? "x" : chance.of(relations) + value);
}

std::string flags(const std::string& letters) { return letters.empty() ? letters : "/" + letters; }

/// Where the place is outside of a payload, "not found" counts from wherever libmagic last found
/// something, also in another payload: this is asked only at the start.
std::string string_test(Chance& chance, bool is_start) {
  switch (chance.below(4)) {
    case 0:
      return "string" + flags(chance.some_of("cCWwtbf")) + "\t" +
             chance.of({"", "", "=", "!", "<", ">"}) + chance.of(patterns);
    case 1:
      return "search/" + chance.of({"1", "2", "5", "100", "4096"}) +
             flags(chance.some_of("cCWwtbsf")) + "\t" + chance.of(patterns);
    case 2:
      return "regex" + chance.of({"", "", "/10", "/2l", "/3l"}) + "\t" +
             (is_start && chance.one_in(3) ? "!"s : ""s) + chance.of(expressions);
    default:
      return "pstring\t" + chance.of(patterns);
  }
}

void add_line(std::string& rules, Chance& chance, std::size_t level, int number) {
  const auto place = offset(chance, level);
  rules += std::string(level, '>') + place + "\t";
  if (level != 0 && chance.one_in(8)) {
    rules += chance.of({"default\tx", "default\tx", "clear\tx"});
  } else {
    rules += chance.one_in(2) ? number_test(chance) : string_test(chance, place == "0");
  }
  const bool has_type = chance.one_in(level == 0 ? 4 : 2);
  const auto name = std::to_string(number);
  rules += "\t" + (has_type || chance.one_in(4) ? "description " + name : ""s) + "\n";
  if (has_type) rules += "!:mime\tx/" + name + "\n";
}

std::string make_rules(Chance& chance) {
  std::string rules;
  int number = 0;
  for (int rule = 0; rule < 12; ++rule) {
    add_line(rules, chance, 0, ++number);
    std::size_t level = 0;
    for (auto lines = chance.below(6); lines != 0; --lines) {
      level = 1 + chance.below(std::min(level + 1, std::size_t{3}));
      add_line(rules, chance, level, ++number);
    }
  }
  return rules;
}

std::string make_payload(Chance& chance) {
  constexpr std::array<std::size_t, 5> lengths{2, 4, 8, 30, 300};
  const bool is_text = !chance.one_in(3);
  std::string payload;
  for (auto count = lengths[chance.below(lengths.size())]; count != 0; --count) {
    payload += is_text || chance.one_in(2) ? chance.of(pieces) : chance.of(binary_pieces);
  }
  payload += chance.one_in(2) ? "\n" : ".";  // libmagic looks behind a word, also at the end
  if (chance.one_in(8)) payload += "\xc3";   // the first half of a character
  return payload;
}

std::string scan(const LoadedPlugin& plugin, const std::string& bytes) {
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(bytes);
  std::string line;
  stoq::support::append_json(line, plugin.as<stoq::Worker>().scan(payload, {}));
  return line;
}

struct Close {
  void operator()(::magic_t handle) const noexcept { ::magic_close(handle); }
};
using Libmagic = std::unique_ptr<::magic_set, Close>;

class RandomMagic : public testing::TestWithParam<std::uint32_t> {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("stoq_magic_" + std::to_string(GetParam()) + "_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Compiles rules; libmagic puts them into the working folder.
  [[nodiscard]] std::string compile(const std::string& rules) const {
    std::ofstream(folder_ / "rules") << rules;
    const Libmagic libmagic(::magic_open(MAGIC_NONE));
    const auto before = fs::current_path();
    fs::current_path(folder_);
    const int failed = ::magic_compile(libmagic.get(), "rules");
    fs::current_path(before);
    EXPECT_EQ(failed, 0) << ::magic_error(libmagic.get());
    return (folder_ / "rules.mgc").string();
  }

  fs::path folder_;
};

TEST_P(RandomMagic, IsUnderstoodAsByLibmagic) {
  Chance chance(GetParam());
  const auto rules = make_rules(chance);
  const auto database = compile(rules);
  const LoadedPlugin plugin({"worker", "mimetype"}, {{"magic_file", database}});
  const Libmagic libmagic(::magic_open(MAGIC_MIME_TYPE));
  ASSERT_EQ(::magic_load(libmagic.get(), database.c_str()), 0) << ::magic_error(libmagic.get());
  for (int i = 0; i < 100; ++i) {
    const auto bytes = make_payload(chance);
    const char* type = ::magic_buffer(libmagic.get(), bytes.data(), bytes.size());
    ASSERT_NE(type, nullptr) << ::magic_error(libmagic.get());
    ASSERT_EQ(scan(plugin, bytes), R"({"file":{"mime_type":")"s + type + R"("}})")
        << "payload " << i << ": " << testing::PrintToString(bytes) << "\nrules:\n"
        << rules;
  }
}

INSTANTIATE_TEST_SUITE_P(All, RandomMagic, testing::Range(1U, 101U));

}  // namespace
