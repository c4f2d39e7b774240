#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <stoq/options.hpp>

#include "support/json.hpp"

namespace {

using stoq::ConfigError;
using stoq::Options;

Options with(const std::string& text) { return Options("x.stoq", {{"key", text}}); }

/// What the reading throws; empty when it does not.
template <class Read>
std::string refusal(Read read) {
  try {
    read();
    return {};
  } catch (const ConfigError& error) {
    return error.what();
  }
}

struct BoolCase {
  const char* text;
  std::optional<bool> value;
};

// As Python's configparser.getboolean().
TEST(Options, ReadsBooleansAsConfigparserDoes) {
  const std::vector<BoolCase> cases{
      {"1", true},    {"yes", true},   {"true", true},   {"on", true},     {"YES", true},
      {"True", true}, {"oN", true},    {"0", false},     {"no", false},    {"false", false},
      {"off", false}, {"OFF", false},  {"False", false}, {" true ", true}, {"2", {}},
      {"y", {}},      {"enabled", {}}, {"", {}},         {"true;", {}},    {"-1", {}}};
  for (const auto& [text, value] : cases) {
    SCOPED_TRACE(text);
    auto options = with(text);
    if (value) {
      EXPECT_EQ(options.get("key", !*value, "help"), *value);
    } else {
      EXPECT_THROW((void)options.get("key", true, "help"), ConfigError);
    }
  }
}

template <class T>
std::optional<T> read_integer(const std::string& text) {
  auto options = with(text);
  std::optional<T> number;
  (void)refusal([&] { number = options.get("key", T{}, "help"); });
  return number;
}

TEST(Options, ReadsIntegersWithinTheirTypes) {
  EXPECT_EQ(read_integer<std::uint8_t>("255"), 255);
  EXPECT_EQ(read_integer<std::uint8_t>("256"), std::nullopt);
  EXPECT_EQ(read_integer<std::uint8_t>("-1"), std::nullopt);
  EXPECT_EQ(read_integer<std::int8_t>("-128"), -128);
  EXPECT_EQ(read_integer<int>("+7"), 7);
  EXPECT_EQ(read_integer<int>(" 7\n"), 7);
  EXPECT_EQ(read_integer<int>("+-7"), std::nullopt);
  EXPECT_EQ(read_integer<std::uint64_t>("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(read_integer<std::uint64_t>("18446744073709551616"), std::nullopt);
  for (const auto* text : {"", "7x", "0x10", "1.5", "seven", "1 2"}) {
    EXPECT_EQ(read_integer<int>(text), std::nullopt) << text;
  }
}

TEST(Options, ReadsDoubles) {
  const auto read = [](const std::string& text) { return with(text).get("key", 0.5, "help"); };
  EXPECT_EQ(read("7.25"), 7.25);
  EXPECT_EQ(read("-1e3"), -1000);
  EXPECT_EQ(read("+3"), 3);
  for (const auto* text : {"", "nan", "inf", "1,5", "1e999", "x"}) {
    EXPECT_THROW((void)read(text), ConfigError) << text;
  }
}

struct SizeCase {
  const char* text;
  std::optional<std::uint64_t> bytes;
};

TEST(Options, ReadsSizes) {
  const std::vector<SizeCase> cases{{"0", 0},
                                    {"1000", 1000},
                                    {"64M", 67108864},
                                    {"64m", 67108864},
                                    {"64MB", 67108864},
                                    {"64MiB", 67108864},
                                    {" 64 MiB ", 67108864},
                                    {"312 B", 312},
                                    {"1.5G", 1610612736},
                                    {"0.5K", 512},
                                    {"1k", 1024},
                                    {"2T", 2199023255552},
                                    {"15E", 17293822569102704640U},
                                    {"16E", {}},
                                    {"18446744073709551615", 18446744073709551615U},
                                    {"18446744073709551616", {}},
                                    {"16777216T", {}},
                                    {"", {}},
                                    {"M", {}},
                                    {"-1", {}},
                                    {"1.5", {}},
                                    {"1.M", {}},
                                    {"1X", {}},
                                    {"1Mi8", {}},
                                    {"1 M B", {}},
                                    {"1MiBB", {}},
                                    {"0x10", {}}};
  for (const auto& [text, bytes] : cases) {
    SCOPED_TRACE(text);
    auto options = with(text);
    std::optional<std::uint64_t> read;
    (void)refusal([&, key = "key"] { read = options.get_size(key, 7, "help"); });
    EXPECT_EQ(read, bytes);
  }
}

TEST(Options, ReadsLists) {
  using Texts = std::vector<std::string>;
  const auto read = [](const std::string& text) { return with(text).get_list("key", "help"); };
  EXPECT_EQ(read(""), Texts{});
  EXPECT_EQ(read("a"), Texts{"a"});
  EXPECT_EQ(read("a, b c ,d"), (Texts{"a", "b c", "d"}));
  EXPECT_EQ(read(",a,,b,"), (Texts{"a", "b"}));
  EXPECT_EQ(read("a,\nb,\nc"), (Texts{"a", "b", "c"}));
  EXPECT_EQ(with("1, 255").get_list<std::uint8_t>("key", "help"),
            (std::vector<std::uint8_t>{1, 255}));
  EXPECT_THROW((void)with("1, 256").get_list<std::uint8_t>("key", "help"), ConfigError);
  EXPECT_EQ(Options("x").get_list("key", "help", "a,b"), (Texts{"a", "b"}));
}

TEST(Options, MessagesNameOriginKeyTextAndWhatWasExpected) {
  EXPECT_EQ(refusal([] { (void)with("256").get("key", std::uint8_t{1}, ""); }),
            "x.stoq: option 'key' is '256'; expected a whole number from 0 to 255");
  EXPECT_EQ(refusal([] { (void)with("maybe").get("key", true, ""); }),
            "x.stoq: option 'key' is 'maybe'; expected true or false (also yes/no, on/off, 1/0)");
  EXPECT_EQ(refusal([] { (void)with("much").get("key", 1.0, ""); }),
            "x.stoq: option 'key' is 'much'; expected a number");
  EXPECT_EQ(refusal([] { (void)with("big").get_size("key", 1, ""); }),
            "x.stoq: option 'key' is 'big'; expected a size such as 65536, 64K or 1.5G");
}

TEST(Options, FallsBackWhenNothingIsSet) {
  Options options("x.stoq");
  EXPECT_EQ(options.get("text", "none", "help"), "none");
  EXPECT_EQ(options.get("flag", true, "help"), true);
  EXPECT_EQ(options.get("number", -3, "help"), -3);
  EXPECT_EQ(options.get("ratio", 0.1, "help"), 0.1);
  EXPECT_EQ(options.get_size("size", std::uint64_t{64} << 20U, "help"), 67108864U);
}

TEST(Options, KnowsWhatWasDeclaredAndWhatIsInForce) {
  Options options("x.stoq", {{"number", "7"}, {"misspelt", "1"}, {"also", "2"}});
  (void)options.get("number", 3, "how many");
  (void)options.get("ratio", 0.1, "how much");
  (void)options.get_size("size", std::uint64_t{64} << 20U, "how large");
  (void)options.get("number", 4, "asked again");
  ASSERT_EQ(options.declared().size(), 3U);
  const auto& number = options.declared()[0];
  EXPECT_EQ(number.key, "number");
  EXPECT_EQ(number.value, "7");
  EXPECT_EQ(number.fallback, "3");
  EXPECT_EQ(number.help, "how many");
  EXPECT_EQ(options.declared()[1].value, "0.1");
  EXPECT_EQ(options.declared()[1].fallback, "0.1");
  EXPECT_EQ(options.declared()[2].value, "64M");
  EXPECT_EQ(options.unknown(), (std::vector<std::string>{"also", "misspelt"}));
  (void)options.get("also", 0, "help");
  (void)options.get("misspelt", "", "help");
  EXPECT_TRUE(options.unknown().empty());
}

TEST(Options, ReadsObjects) {
  const auto read = [](const std::string& text) {
    Options options("x.stoq", {{"key", text}}, stoq::support::parse_json);
    return options.get_dict("key", "help");
  };
  EXPECT_EQ(read(R"({"a": 1, "b": ["x"], "a": 2})").integer("a"), 2);
  EXPECT_EQ(read(R"({"a": {"b": "c"}})")["a"].text("b"), "c");
  for (const auto* empty : {"", " ", "{}"}) {
    EXPECT_EQ(read(empty).get_if<stoq::Value::Object>()->size(), 0U);
  }
  for (const auto* bad : {"{", "[]", "1", "null", "{'a': 1}", "{} x", "{\"a\": 1,}"}) {
    EXPECT_NE(refusal([&] { (void)read(bad); }).find("expected a JSON object"), std::string::npos);
  }
}

TEST(Options, MessagesNameWhereTheValueWasSet) {
  Options options("x.stoq", Options::Settings{{"key", {"soon", "x.stoq:7"}}}, nullptr);
  EXPECT_TRUE(refusal([&] {
                (void)options.get("key", 1, "help");
              }).starts_with("x.stoq:7: option 'key' is 'soon'"));
  EXPECT_EQ(refusal([&] { options.refuse("key", "now or never"); }),
            "x.stoq:7: option 'key' is 'soon'; expected now or never");
  EXPECT_EQ(options.declared().front().place, "x.stoq:7");
}

}  // namespace
