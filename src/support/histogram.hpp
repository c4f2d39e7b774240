/// How values are distributed, in little memory: log-linear classes, each at most 1/32 wide.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace stoq::support {

/// Counts values; gives percentiles at most 3.2 % above the true value. Allocates nothing. One
/// thread.
class Histogram {
 public:
  void add(std::uint64_t value) noexcept {
    ++counts_[class_of(value)];
    ++count_;
    largest_ = std::max(largest_, value);
  }
  void merge(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    largest_ = std::max(largest_, other.largest_);
  }

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }
  /// The smallest class end that `share` (0 … 1) of the values do not exceed; 0 without values.
  [[nodiscard]] std::uint64_t percentile(double share) const noexcept {
    if (count_ == 0) return 0;
    const auto wanted = std::clamp(share, 0.0, 1.0) * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return std::min(end_of(i), largest_);
    }
    return largest_;
  }

 private:
  static constexpr unsigned bits = 5;
  static constexpr std::uint64_t linear = std::uint64_t{1} << bits;

  /// Below 2 × `linear` a class a value; above, `linear` classes a power of two.
  [[nodiscard]] static constexpr std::size_t class_of(std::uint64_t value) noexcept {
    if (value < 2 * linear) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
    return shift * linear + (value >> shift);
  }
  /// The largest value of a class.
  [[nodiscard]] static constexpr std::uint64_t end_of(std::size_t number) noexcept {
    if (number < 2 * linear) return number;
    const auto shift = number / linear - 1;
    return ((number % linear + linear + 1) << shift) - 1;
  }

  std::array<std::uint64_t, (64 - bits + 1) * linear> counts_{};
  std::uint64_t count_ = 0, largest_ = 0;
};

}  // namespace stoq::support
