/// How many roots may begin in how much time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "engine/config.hpp"

namespace stoq::engine {

/// Keeps the beginnings of the last `count` roots, so that no span of `seconds`, wherever it
/// begins, holds more than `count` of them; what was not used earlier is not made up for.
/// One thread at a time.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  explicit RateLimiter(const RateLimit& limit)
      : count_(limit.count),
        span_(std::chrono::duration_cast<Clock::duration>(
            std::chrono::duration<double>(limit.seconds))) {}

  /// When another root may begin: at `now` or later.
  [[nodiscard]] Clock::time_point next(Clock::time_point now) const {
    if (begun_.size() < count_) return now;
    return std::max(now, begun_[oldest_] + span_);
  }
  /// Notes that one begins.
  void begin(Clock::time_point now) {
    if (begun_.size() < count_) {
      begun_.push_back(now);
      return;
    }
    begun_[oldest_] = now;
    oldest_ = (oldest_ + 1) % begun_.size();
  }

 private:
  std::size_t count_;
  Clock::duration span_;
  std::vector<Clock::time_point> begun_;  ///< a ring, once it is full
  std::size_t oldest_ = 0;
};

}  // namespace stoq::engine
