#include "engine/string_filter.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace std::string_literals;
using stoq::as_bytes;
using stoq::engine::Part;
using stoq::engine::rule_strings;
using stoq::engine::StringFilter;

struct Filter {
  explicit Filter(const std::string& strings)
      : made(StringFilter::make(
            rule_strings("rule r { strings: " + strings + " condition: any of them }").value())),
        scratch(*made) {}
  /// Nothing when it cannot be told.
  std::optional<std::vector<Part>> find(const std::string& bytes, std::optional<Part> within = {}) {
    std::vector<Part> parts;
    const bool told =
        made->find(as_bytes(bytes), within.value_or(Part{0, bytes.size()}), scratch, parts);
    return told ? std::optional(parts) : std::nullopt;
  }
  std::unique_ptr<StringFilter> made;
  StringFilter::Scratch scratch;
};

struct PlantCase {
  const char *name, *strings;
  std::string planted;
  std::vector<std::size_t> places;  ///< in 64 KiB
};

class StringFilterParts : public testing::TestWithParam<PlantCase> {};

TEST_P(StringFilterParts, HoldWhatWasPlantedAndLittleElse) {
  const auto& c = GetParam();
  Filter filter(c.strings);
  std::string bytes(std::size_t{64} << 10U, '.');
  for (const auto at : c.places) bytes.replace(at, c.planted.size(), c.planted);
  const auto found = filter.find(bytes);
  ASSERT_TRUE(found.has_value());
  std::size_t end = 0, size = 0;
  for (const auto part : *found) {
    EXPECT_TRUE(end == 0 || part.begin > end) << "parts touch at " << end;
    EXPECT_LT(part.begin, part.end);
    EXPECT_LE(part.end, bytes.size());
    end = part.end;
    size += part.size();
  }
  EXPECT_LE(size, c.places.size() * (2 * c.planted.size() + 100));
  for (const auto at : c.places) {
    const auto last = at + c.planted.size();
    const Part needed{at == 0 ? 0 : at - 1, std::min(last + 1, bytes.size())};
    EXPECT_TRUE(std::any_of(
        found->begin(), found->end(),
        [&](Part part) { return part.begin <= needed.begin && part.end >= needed.end; }))
        << "not found at " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, StringFilterParts,
    testing::ValuesIn(std::vector<PlantCase>{
        {"Nothing", R"($a = "needle")", "needle", {}},
        {"Start", R"($a = "needle")", "needle", {0}},
        {"End", R"($a = "needle")", "needle", {65530}},
        {"Apart", R"($a = "needle")", "needle", {100, 200, 30000, 30003 + 6, 65000}},
        {"LongerBesideShorter", R"($a = "needle" $b = "ed")", "needle", {5000, 5100}},
        {"Gap", "$a = { 01 [40-60] 02 }", "\x01" + std::string(60, '-') + "\x02", {1000, 2000}},
        {"NoCase", R"($a = "needle" nocase)", "NeEdLe", {70, 700}},
        {"Expression", R"($a = /n[e]{2}dle\d/)", "needle7", {70, 700}},
    }),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(StringFilter, LooksOnlyWithin) {
  Filter filter(R"($a = "needle")");
  std::string bytes(10'000, '.');
  for (const auto at : {std::size_t{10}, std::size_t{4996}, std::size_t{9000}}) {
    bytes.replace(at, 6, "needle");
  }
  const auto found = filter.find(bytes, Part{5000, 10'000});
  ASSERT_TRUE(found.has_value());
  ASSERT_EQ(found->size(), 1U);
  EXPECT_LT(found->front().begin, 9000U);
  EXPECT_GE(found->front().begin, 5000U);
}

TEST(StringFilter, SaysWhenItCannotTell) {
  Filter plain(R"($a = "needle")");
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a needle ";
  EXPECT_EQ(plain.find(many), std::nullopt);
  // Their matches reach farther than the expression, or are not bound to what surrounds them.
  for (const auto* strings :
       {"$a = { 01 02 [0-1000] 03 }", "$a = /^needle/", "$a = /needle.*end/", "$a = /\\bneedle/"}) {
    Filter open(strings);
    const auto bytes = "needle and end \x01\x02" + std::string(1000, '.');
    EXPECT_EQ(open.find(bytes), std::nullopt) << strings;
    EXPECT_EQ(open.find(std::string(1000, '.')), std::vector<Part>{}) << strings;
  }
}

}  // namespace
