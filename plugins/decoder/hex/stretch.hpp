/// Finds, fast, where so many characters in a row could belong to a run that it is worth reading.
#pragma once

#include <array>
#include <bit>
#include <optional>

#include "reader.hpp"

namespace hex {

/// Shorter stretches hold no run that is looked for.
inline constexpr std::size_t least_stretch = 48;

/// Looks for stretches from the front to the back of one text.
class Stretches {
 public:
  explicit Stretches(stoq::ByteView text) noexcept : text_(text) {}

  /// Where the first stretch at or behind `from` begins; nothing at the end, or where a stop was
  /// requested. Looks at one character in thirteen while nothing looks like one.
  [[nodiscard]] std::optional<std::size_t> next(std::size_t from,
                                                const stoq::Request& request) const {
    constexpr std::size_t stop_interval = 1 << 20;
    std::size_t looked = from;
    for (auto at = from; stoq::fits(text_, at, least_stretch);) {
      if (at - looked >= stop_interval) {
        if (request.stop_requested()) return {};
        looked = at;
      }
      const auto threes = likely(samples(at));
      if (threes == 0) {
        at += (sample_count - 2) * spacing;
        continue;
      }
      const auto sample = at + static_cast<std::size_t>(std::countr_zero(threes)) * spacing;
      auto begin = sample;
      while (begin > from && belongs(begin - 1)) --begin;
      auto end = sample;
      while (end < text_.size() && end - begin < least_stretch && belongs(end)) ++end;
      if (end - begin == least_stretch) return begin;
      from = at = end;
    }
    return {};
  }

 private:
  // A stretch holds three samples at least, and whatever stands between its bytes, one of them is
  // a digit: 13 and the usual 2 to 6 characters a byte have no common divisor.
  static constexpr std::size_t spacing = 13;
  static constexpr std::size_t sample_count = 8;
  static_assert(3 * spacing <= least_stretch);

  /// Of some samples in a row, a bit for each that could belong to a run, and from `digit_bits` on
  /// one for each that is a digit.
  using Samples = std::uint32_t;
  static constexpr unsigned digit_bits = 16;

  static constexpr auto one_sample = [] {
    std::array<Samples, 256> made{};
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] =
          (tables.kind[i] != 0 ? 1U : 0U) | ((tables.kind[i] & digit) != 0 ? 1U << digit_bits : 0U);
    }
    return made;
  }();

  /// A bit for each sample with which three begin that could be a stretch's.
  static unsigned likely(Samples samples) noexcept {
    const auto digits = samples >> digit_bits;
    return samples & (samples >> 1U) & (samples >> 2U) & (digits | digits >> 1U | digits >> 2U) &
           0xffU;
  }

  [[nodiscard]] bool belongs(std::size_t at) const noexcept { return kind(text_[at]) != 0; }

  // Most texts have some such characters, nowhere in particular: a branch on one would be guessed
  // wrong, so all are read first.
  [[nodiscard]] Samples samples(std::size_t at) const noexcept {
    Samples found = 0;
    const auto take = [&](std::size_t i) {
      found |= one_sample[std::to_integer<std::size_t>(text_[at + i * spacing])] << i;
    };
    if (stoq::fits(text_, at, (sample_count - 1) * spacing + 1)) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < sample_count; ++i) take(i);
    } else {
      for (std::size_t i = 0; at + i * spacing < text_.size(); ++i) take(i);
    }
    return found;
  }

  stoq::ByteView text_;
};

}  // namespace hex
