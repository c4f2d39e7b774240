#include "support/json.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <stoq/error.hpp>

namespace {

using stoq::Value;
using namespace std::string_literals;

std::string json_of(std::string_view text) {
  std::string out;
  stoq::support::append_json_string(out, text);
  return out;
}

std::string written(const Value& value) {
  std::string out;
  stoq::support::append_json(out, value);
  return out;
}

struct Utf8Case {
  std::string bytes, replaced;
  bool well_formed;
};

// `replaced` is what Python 3.11 gives for bytes.decode("utf-8", "replace"): stray continuations,
// overlong forms, surrogates, what lies beyond U+10FFFF, lead bytes of five and six, sequences cut
// by the end or by another byte, and the example of the Unicode standard, table 3-8.
const std::vector<Utf8Case> utf8_cases{
    {"\x80", "\xef\xbf\xbd", false},
    {"\xbf", "\xef\xbf\xbd", false},
    {"a\x80"
     "b",
     "a\xef\xbf\xbd"
     "b",
     false},
    {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xc1\xbf", "\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xc2", "\xef\xbf\xbd", false},
    {"\xc2"
     "A",
     "\xef\xbf\xbd"
     "A",
     false},
    {"\xdf\xbf", "\xdf\xbf", true},
    {"\xc2\xc2\x80", "\xef\xbf\xbd\xc2\x80", false},
    {"\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xe0\x9f\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xe0\xa0", "\xef\xbf\xbd", false},
    {"\xe0\xa0"
     "A",
     "\xef\xbf\xbd"
     "A",
     false},
    {"\xe1\x80", "\xef\xbf\xbd", false},
    {"\xe1\x80\xe1", "\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xe2\x82\xac", "\xe2\x82\xac", true},
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xed\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xed\x9f\xbf", "\xed\x9f\xbf", true},
    {"\xee\x80\x80", "\xee\x80\x80", true},
    {"\xef\xbf\xbf", "\xef\xbf\xbf", true},
    {"\xf0\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xf0\x8f\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xf0\x90\x80\x80", "\xf0\x90\x80\x80", true},
    {"\xf0\x90\x80", "\xef\xbf\xbd", false},
    {"\xf0\x90", "\xef\xbf\xbd", false},
    {"\xf0", "\xef\xbf\xbd", false},
    {"\xf0\x9f\x98"
     "A",
     "\xef\xbf\xbd"
     "A",
     false},
    {"\xf1\x80\x80"
     "A",
     "\xef\xbf\xbd"
     "A",
     false},
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", true},
    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xf5\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xf8\x88\x80\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xfc\x84\x80\x80\x80\x80",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false},
    {"\xfe", "\xef\xbf\xbd", false},
    {"\xff", "\xef\xbf\xbd", false},
    {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd", false},
    {"a\xf1\x80\x80\xe1\x80\xc2"
     "b\x80"
     "c\x80\xbf"
     "d",
     "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
     "b\xef\xbf\xbd"
     "c\xef\xbf\xbd\xef\xbf\xbd"
     "d",
     false},
    {"12345678\xe2\x82", "12345678\xef\xbf\xbd", false},
    {"1234567\xc3\xa9", "1234567\xc3\xa9", true},
    {"1234567\xc3\xa9"
     "8",
     "1234567\xc3\xa9"
     "8",
     true},
};

TEST(Json, ReplacesIllFormedUtf8AsPythonDoes) {
  for (const auto& [bytes, replaced, well_formed] : utf8_cases) {
    EXPECT_EQ(json_of(bytes), '"' + replaced + '"');
    EXPECT_EQ(stoq::support::is_utf8(bytes), well_formed) << replaced;
    // At each place of the eight bytes that are looked at together.
    for (std::size_t before = 1; before < 17; ++before) {
      const std::string padding(before, 'x');
      EXPECT_EQ(json_of(padding + bytes + "yyyyyyyyy"), '"' + padding + replaced + "yyyyyyyyy\"");
    }
  }
}

TEST(Json, EscapesWhatMustBeAndNothingElse) {
  for (unsigned byte = 0; byte < 0x80; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    const auto json = json_of("12345678" + text + "12345678");
    EXPECT_EQ(nlohmann::json::parse(json), "12345678" + text + "12345678") << byte;
    const bool escaped = byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f;
    EXPECT_EQ(json.find('\\') != json.npos, escaped) << byte;
  }
}

TEST(Json, WritesTheShortEscapes) {
  EXPECT_EQ(json_of("\b\f\n\r\t\"\\\x01\x1f\x7f\0"s),
            R"("\b\f\n\r\t\"\\\u0001\u001f\u007f\u0000")");
  EXPECT_EQ(json_of("a\u2028b\u2029c\u2027d"), "\"a\\u2028b\\u2029c\u2027d\"");
  EXPECT_EQ(json_of(""), "\"\"");
}

TEST(Json, MakesValidJsonOfAnyTwoBytes) {
  for (unsigned first = 0; first < 256; ++first) {
    std::string text{"...\xe2\x82.."};
    for (unsigned second = 0; second < 256; ++second) {
      text[2] = static_cast<char>(first);
      text[5] = static_cast<char>(second);
      const auto json = json_of(text);
      EXPECT_TRUE(nlohmann::json::accept(json)) << json;
      EXPECT_TRUE(stoq::support::is_utf8(json));
    }
  }
}

struct NumberCase {
  double number;
  const char* text;
};

// Texts from Python's repr(), which is the shortest as well, in to_chars' choice of notation.
TEST(Json, WritesTheShortestNumberThatReadsBack) {
  const std::vector<NumberCase> cases{{0.0, "0"},
                                      {1.0, "1"},
                                      {-1.5, "-1.5"},
                                      {0.1, "0.1"},
                                      {1e-7, "1e-07"},
                                      {1e22, "1e+22"},
                                      {5e-324, "5e-324"},
                                      {1.7976931348623157e308, "1.7976931348623157e+308"},
                                      {2.0 / 3, "0.6666666666666666"},
                                      {std::numeric_limits<double>::infinity(), "null"},
                                      {-std::numeric_limits<double>::infinity(), "null"},
                                      {std::numeric_limits<double>::quiet_NaN(), "null"}};
  for (const auto& [number, text] : cases)
    EXPECT_EQ(written({{"n", number}, {"z", 1}}), "{\"n\":"s + text + ",\"z\":1}");
}

TEST(Json, WritesWholeNumbersToTheirLimits) {
  EXPECT_EQ(written(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(written(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
  std::string out;
  stoq::support::append_json_number(out, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(out, "18446744073709551615");
}

struct ValueCase {
  const char* name;
  Value value;
  const char* json;
};

class JsonValue : public testing::TestWithParam<ValueCase> {};

TEST_P(JsonValue, IsWritten) { EXPECT_EQ(written(GetParam().value), GetParam().json); }

const Value empty_object = Value::Object{};
const Value empty_array = Value::Array{};
INSTANTIATE_TEST_SUITE_P(
    Each, JsonValue,
    testing::Values(
        ValueCase{"Null", {}, "null"}, ValueCase{"True", true, "true"},
        ValueCase{"Text", "a\"b", R"("a\"b")"}, ValueCase{"EmptyObject", empty_object, "{}"},
        ValueCase{"EmptyArray", empty_array, "[]"},
        ValueCase{"Order", {{"z", 1}, {"a", 2}}, R"({"z":1,"a":2})"},
        ValueCase{"FalseZeroAndEmptyTextStay",
                  {{"f", false}, {"z", 0}, {"t", ""}},
                  R"({"f":false,"z":0,"t":""})"},
        ValueCase{"EmptyMembersAreLeftOut",
                  {{"n", Value()}, {"a", 1}, {"o", empty_object}, {"l", empty_array}, {"b", 2}},
                  R"({"a":1,"b":2})"},
        ValueCase{"WhatHoldsOnlyEmptyMembersIsLeftOut",
                  {{"o", Value(Value::Object{{"n", Value()}, {"o", empty_object}})}, {"b", 2}},
                  R"({"b":2})"},
        ValueCase{"ItemsKeepTheirPlaces", Value::Array{Value(), empty_object, 1}, "[null,{},1]"},
        ValueCase{"KeysAreEscaped", Value(Value::Object{{"a\n\xff", 1}}),
                  "{\"a\\n\xef\xbf\xbd\":1}"}),
    [](const auto& test) { return test.param.name; });

TEST(Json, DepthOfValuesIsNoMatter) {
  Value value = 1;
  std::string json = "1";
  for (int i = 0; i < 500; ++i) {
    value = Value::Array{std::move(value)};
    json = "[" + json + "]";
  }
  EXPECT_EQ(written(value), json);
}

TEST(Json, ObjectWriterPutsCommas) {
  std::string out = "x";
  {
    stoq::support::JsonObject object(out);
    object.text("a", "1\n");
    object.number("b", std::numeric_limits<std::uint64_t>::max());
    object.flag("c", true);
    stoq::support::JsonObject inner(object.key("d"));
    inner.flag("e", false);
  }
  EXPECT_EQ(out, R"(x{"a":"1\n","b":18446744073709551615,"c":true,"d":{"e":false}})");
}

// RFC 4648, section 10, and all digits.
TEST(Json, Base64) {
  const std::vector<std::pair<std::string, std::string>> cases{{"", ""},
                                                               {"f", "Zg=="},
                                                               {"fo", "Zm8="},
                                                               {"foo", "Zm9v"},
                                                               {"foob", "Zm9vYg=="},
                                                               {"fooba", "Zm9vYmE="},
                                                               {"foobar", "Zm9vYmFy"},
                                                               {"\xff\xfe\xfd", "//79"},
                                                               {"\xfb\xef", "++8="}};
  for (const auto& [bytes, text] : cases) {
    std::string out;
    stoq::support::append_base64(out, bytes);
    EXPECT_EQ(out, text);
  }
}

// Python's json.loads() and json.dumps() give the same.
TEST(Json, ReadsWhatItWrites) {
  const std::vector<const char*> texts{"null",
                                       "true",
                                       "false",
                                       "0",
                                       "-1",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "1.5",
                                       R"("")",
                                       R"("a\u0001\"b")",
                                       "[]",
                                       "{}",
                                       "[1,[2,[]],\"x\"]",
                                       R"({"z":1,"a":{"b":[true]}})"};
  for (const auto* text : texts) EXPECT_EQ(written(stoq::support::parse_json(text)), text);
  EXPECT_EQ(written(stoq::support::parse_json(" [ 1 , 18446744073709551616 ] ")),
            "[1,18446744073709551616]");
  EXPECT_EQ(written(stoq::support::parse_json(R"({"a":1,"b":2,"a":3})")), R"({"a":3,"b":2})");
}

TEST(Json, RefusesWhatIsNone) {
  const std::string deep(200, '[');
  const std::vector<std::string> texts{"",    " ",   "{",     "[1,]",     "nul",
                                       "'a'", "1 2", "{1:2}", "\"\xff\"", std::string("1\0", 2),
                                       "01",  "+1",  deep,    "NaN"};
  for (const auto& text : texts) {
    EXPECT_THROW((void)stoq::support::parse_json(text), stoq::MalformedInput) << text;
  }
}

}  // namespace
