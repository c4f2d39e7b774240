/// Finds many strings in one pass over a text (Aho and Corasick, 1975), without regard to the case
/// of ASCII letters. Immutable once built; thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

class Literals {
 public:
  static constexpr std::uint32_t nowhere = UINT32_MAX;

  /// The number of `literal`, which is not empty; the same for equal ones. Before build().
  std::size_t add(std::string_view literal);
  /// False when there are too many of them.
  [[nodiscard]] bool build();
  /// Where each literal begins first, by number, or `nowhere`. `text` is below 4 GiB.
  void find(std::string_view text, std::vector<std::uint32_t>& first) const;

 private:
  using State = std::uint16_t;
  static constexpr State ends_here = 0x8000;  // flag in next_: a literal ends in that state
  static constexpr std::size_t most_states = ends_here;

  [[nodiscard]] std::size_t row(std::size_t state) const noexcept { return state * classes_; }

  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<std::string> literals_;
  std::array<std::uint8_t, 256> class_of_{};
  std::size_t classes_ = 1;  // class 0: bytes in no literal
  std::vector<State> next_;
  std::vector<std::vector<std::uint16_t>> ends_;  // by state
};
