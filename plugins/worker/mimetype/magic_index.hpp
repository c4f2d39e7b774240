/// The rules of a database of libmagic, and which of them can match a payload. libmagic tries some
/// 3,500 one by one; nearly all fail at their first test, and most of those tests are easily made
/// for all rules at once. Sound, not exact: a rule that matches is always among those selected.
/// Immutable; thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "expression_filter.hpp"
#include "expressions.hpp"
#include "first_bytes.hpp"
#include "literals.hpp"
#include "magic_file.hpp"
#include "magic_line.hpp"

class MagicIndex {
 public:
  /// A rule: one line of magic and those below it that refine it.
  struct Rule {
    std::uint32_t first_line, lines;
    bool uses_named;   ///< refers to named rules
    bool looks_again;  ///< has libmagic try all rules on a part of the payload
    bool is_for_both;  ///< for text and for binary data
    bool is_clear;     ///< where it matches, it gives a MIME type that no lack of rules gives
  };
  enum class Mode : std::uint8_t { binary, text };
  /// What of the rules' strings and expressions a text has. To be used again, by one thread at a
  /// time.
  struct Seen {
    std::vector<std::uint32_t> first;  // place of each literal
    ExpressionFilter::Scratch expressions;
  };

  explicit MagicIndex(const MagicFile& file);

  [[nodiscard]] const Rule& rule(std::size_t number) const noexcept { return rules_[number]; }
  [[nodiscard]] const MagicLine& line(std::size_t number) const noexcept { return lines_[number]; }
  [[nodiscard]] const Expressions& expressions() const noexcept { return expressions_; }

  void look(std::string_view text, Seen& seen) const;
  /// Sets `to` to the rules of a mode that can match `bytes`, in libmagic's order. `seen`: what was
  /// seen in these same bytes, if known.
  void select(Mode mode, std::string_view bytes, const Seen* seen,
              std::vector<std::uint32_t>& to) const;

 private:
  struct Keyed {
    std::uint32_t rule, key;
    std::uint64_t last;  // of literals: the last place where it helps
  };
  /// Rules by what their first line asks for.
  struct Rules {
    FirstBytes first_bytes;
    std::vector<Keyed> literals, expressions;
    std::vector<std::uint32_t> others;
  };

  void add_rule(const MagicFile& file, std::size_t first, std::size_t end);
  void add_key(Mode mode, std::uint32_t rule);

  std::vector<Rule> rules_;
  std::vector<MagicLine> lines_;  // as they stand in the file
  Expressions expressions_;
  std::array<Rules, 2> by_mode_;
  Literals literals_;
  ExpressionFilter filter_;
};
