#include "support/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using stoq::support::Histogram;

/// By sorting: the smallest value that a share of all do not exceed.
std::uint64_t exact(std::vector<std::uint64_t> values, double share) {
  std::sort(values.begin(), values.end());
  const auto wanted = std::ceil(share * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(wanted, 1.0)) - 1];
}

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram none;
  EXPECT_EQ(none.count(), 0U);
  EXPECT_EQ(none.percentile(0.5), 0U);
  EXPECT_EQ(none.largest(), 0U);
}

TEST(Histogram, IsExactForSmallValues) {
  Histogram histogram;
  for (std::uint64_t value = 0; value < 64; ++value) histogram.add(value);
  EXPECT_EQ(histogram.percentile(0), 0U);
  EXPECT_EQ(histogram.percentile(0.5), 31U);
  EXPECT_EQ(histogram.percentile(1), 63U);
}

TEST(Histogram, IsNearTheTruthAtAnyScale) {
  std::mt19937_64 random(7);
  for (const unsigned bits : {3U, 10U, 20U, 40U, 64U}) {
    std::vector<std::uint64_t> values;
    Histogram histogram;
    for (int i = 0; i < 5000; ++i) {
      values.push_back(random() >> (64 - bits) >> (random() % bits));
      histogram.add(values.back());
    }
    for (const double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
      const auto truth = exact(values, share);
      const auto told = histogram.percentile(share);
      EXPECT_GE(told, truth) << bits << ' ' << share;
      EXPECT_LE(told - truth, truth / 31) << bits << ' ' << share;
    }
    EXPECT_EQ(histogram.largest(), *std::max_element(values.begin(), values.end()));
  }
}

TEST(Histogram, TakesTheLargestNumbers) {
  Histogram histogram;
  histogram.add(UINT64_MAX);
  histogram.add(UINT64_MAX - 1);
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.percentile(1), UINT64_MAX);
}

TEST(Histogram, MergesAsIfAllHadGoneIntoOne) {
  std::mt19937_64 random(8);
  Histogram all;
  Histogram one;
  Histogram other;
  for (int i = 0; i < 1000; ++i) {
    const auto value = random() >> 30;
    all.add(value);
    (i % 3 == 0 ? one : other).add(value);
  }
  one.merge(other);
  EXPECT_EQ(one.count(), all.count());
  EXPECT_EQ(one.largest(), all.largest());
  for (const double share : {0.1, 0.5, 0.99}) {
    EXPECT_EQ(one.percentile(share), all.percentile(share));
  }
}

}  // namespace
