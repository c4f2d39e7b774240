/// No span of time holds more beginnings than the limit allows, and no root waits without need.
#include "engine/rate_limiter.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace {

using stoq::engine::RateLimiter;
using Clock = RateLimiter::Clock;
using std::chrono::milliseconds;

/// Lets roots come when they like, and begin when they may.
std::vector<Clock::time_point> beginnings(RateLimiter& limiter, unsigned roots, unsigned seed,
                                          int longest_pause) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> pause(0, longest_pause);
  std::vector<Clock::time_point> begun;
  Clock::time_point now;
  for (unsigned i = 0; i < roots; ++i) {
    now += milliseconds(pause(random));
    now = limiter.next(now);
    limiter.begin(now);
    begun.push_back(now);
  }
  return begun;
}

struct Case {
  std::uint64_t count;
  double seconds;
  int longest_pause;  ///< milliseconds between two roots
};

class RateLimits : public ::testing::TestWithParam<Case> {};

TEST_P(RateLimits, NoSpanHoldsMore) {
  const auto& limit = GetParam();
  RateLimiter limiter({limit.count, limit.seconds});
  const auto begun = beginnings(limiter, 500, 7, limit.longest_pause);
  const auto span = std::chrono::duration<double>(limit.seconds);
  for (std::size_t i = 0; i + limit.count < begun.size(); ++i) {
    EXPECT_GE(begun[i + limit.count] - begun[i], span - std::chrono::nanoseconds(1)) << i;
  }
}

TEST_P(RateLimits, NobodyWaitsLongerThanNeeded) {
  const auto& limit = GetParam();
  RateLimiter limiter({limit.count, limit.seconds});
  // All come at once: so many begin at the start of every span.
  const auto begun = beginnings(limiter, 500, 7, 0);
  for (std::size_t i = 0; i < begun.size(); ++i) {
    const auto due =
        std::chrono::duration<double>(limit.seconds) * static_cast<double>(i / limit.count);
    const auto late = std::chrono::duration<double>(begun[i].time_since_epoch()) - due;
    EXPECT_LT(std::abs(late.count()), 1e-4) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Rates, RateLimits,
                         ::testing::Values(Case{1, 1, 3000}, Case{1, 0.001, 1}, Case{7, 2.5, 400},
                                           Case{100, 60, 900}, Case{1000, 1, 2},
                                           Case{3, 86400, 100}));

}  // namespace
