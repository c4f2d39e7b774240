/// Which of many expressions can match in a text: by the literals that each needs, and for those
/// that need none in one pass for all. Immutable once built; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <re2/filtered_re2.h>
#include <re2/set.h>

#include "literals.hpp"
#include "magic_line.hpp"

class ExpressionFilter {
 public:
  /// To be used again, by one thread at a time.
  struct Scratch {
    std::vector<int> found, possible;
    std::vector<bool> may_match;  // by number
  };

  /// A number for the line's expression; nothing where it cannot be told without the C library. The
  /// line must stay.
  std::optional<std::uint32_t> add(const MagicLine& line);
  /// Adds the literals that find() must know of.
  void build(Literals& literals);
  /// Sets may_match. `first`: where each literal is, as Literals::find() says.
  void find(std::string_view text, const std::vector<std::uint32_t>& first, Scratch& scratch) const;

 private:
  /// Expressions that look at the same part of a text.
  struct Together {
    std::unique_ptr<re2::RE2::Set> set;
    const MagicLine* one;      // of the lines
    std::vector<int> numbers;  // by index in the set
  };
  void put_together(int number);

  re2::FilteredRE2 expressions_{3};
  std::vector<const MagicLine*> lines_;  // by number
  std::vector<std::uint32_t> atoms_;     // literals
  std::vector<Together> together_;
};
