#include <gtest/gtest.h>

#include <stoq/tlp.hpp>

namespace {

using namespace stoq;

TEST(Tlp, LevelsAreReadAndSpelled) {
  for (const auto* word : {"white", "green", "amber", "red"}) {
    const auto level = parse_tlp(word);
    ASSERT_TRUE(level) << word;
    EXPECT_EQ(to_string(*level), word);
  }
  EXPECT_EQ(parse_tlp("clear"), Tlp::white);
  for (const auto* word : {"", "Red", "amber ", "blue"}) EXPECT_FALSE(parse_tlp(word)) << word;
}

TEST(Tlp, TheMoreRestrictedIsGreater) {
  EXPECT_LT(Tlp::white, Tlp::green);
  EXPECT_LT(Tlp::green, Tlp::amber);
  EXPECT_LT(Tlp::amber, Tlp::red);
}

}  // namespace
