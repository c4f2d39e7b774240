/// Which of libmagic's rules can match a payload. libmagic tries some 3,500 rules one by one;
/// nearly all of them fail at their first test, and most of those tests are easily made for all
/// rules at once. Sound, not exact: a rule that matches is always among those selected. Immutable;
/// thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <re2/filtered_re2.h>

#include "literals.hpp"
#include "magic_file.hpp"

class MagicIndex {
 public:
  /// A rule: one line of magic and those below it that refine it.
  struct Rule {
    std::size_t first_line, lines;
    bool uses_named;   ///< refers to named rules
    bool looks_again;  ///< has libmagic try all rules on a part of the payload
    bool is_for_both;  ///< for text and for binary data
    bool is_clear;     ///< where it matches, it gives a MIME type that no lack of rules gives
  };
  /// What one selection needs; to be used again, by one thread at a time.
  struct Scratch {
    std::vector<std::uint32_t> first;  // place of each literal
    std::vector<int> found, possible;
    std::vector<bool> may_match;  // by expression
  };

  /// The file may go once the index is made.
  explicit MagicIndex(const MagicFile& file);

  [[nodiscard]] const Rule& rule(std::size_t number) const noexcept { return rules_[number]; }
  /// Adds the rules for binary data that can match `bytes`, in libmagic's order.
  void select_binary(std::string_view bytes, bool is_text, std::vector<std::uint32_t>& to) const;
  /// Adds the rules for text that can match `text` (UTF-8, as libmagic converts it), in order.
  void select_text(std::string_view text, Scratch& scratch, std::vector<std::uint32_t>& to) const;

 private:
  enum class Test : std::uint8_t { always, never, number, bytes, folded, search, expression, der };
  struct Node {
    Test test = Test::always;
    char relation = '=';
    bool tells = false;  // its match changes what libmagic says
    bool big_endian = false, is_signed = false, only_text = false, only_binary = false;
    std::uint8_t width = 0;  // of a number
    unsigned level = 0;
    std::uint32_t end = 0;  // the first node that is not below this one
    std::uint32_t offset = 0;
    std::uint32_t range = 0;  // search: of places; expression: of bytes
    std::uint32_t lines = 0;  // expression: 0 for any number
    std::uint64_t number = 0, mask = 0;
    std::string pattern;
    int literal = -1;     // search, in text
    int expression = -1;  // expression
  };
  /// What is looked at; without `scratch` every test is made on the bytes themselves.
  struct Subject {
    std::string_view bytes;
    bool is_text;
    const Scratch* scratch;
  };

  void add_rule(const MagicFile& file, std::size_t first, std::size_t end);
  static Node make_node(const MagicEntry& entry);
  static void set_number(Node& node, const MagicEntry& entry);
  static void set_string(Node& node, const MagicEntry& entry);
  void set_expression(Node& node, const MagicEntry& entry);
  static bool can_begin(const Node& node, std::uint8_t byte);

  [[nodiscard]] bool matters(std::size_t node, const Subject& subject) const;
  [[nodiscard]] bool passes(const Node& node, const Subject& subject) const;
  [[nodiscard]] static bool compares(const Node& node, std::string_view bytes);
  [[nodiscard]] static bool finds(const Node& node, const Subject& subject);
  [[nodiscard]] bool finds_expression(const Node& node, const Subject& subject) const;

  std::vector<Rule> rules_;
  std::vector<Node> nodes_;                             // nodes_[i] is line i of the file
  std::array<std::vector<std::uint32_t>, 256> binary_;  // rules by a payload's first byte
  std::vector<std::uint32_t> text_;                     // rules
  Literals literals_;
  std::vector<std::uint32_t> atoms_;  // literals that expressions ask for
  re2::FilteredRE2 expressions_{3};
  bool has_literals_ = true;
};
