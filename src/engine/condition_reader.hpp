/// Reads a condition into places. Its grammar is libyara's, as far as it is understood.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "engine/rule_condition.hpp"
#include "engine/rule_source.hpp"

namespace stoq::engine {

class ConditionReader {
 public:
  /// Loops within each other; libyara takes no more.
  static constexpr std::size_t most_loops = 4;

  explicit ConditionReader(RuleSource& source) : source_(source) {}

  /// The condition up to the brace that ends its rule; the last place is the whole. Throws NotTold.
  [[nodiscard]] std::vector<ConditionNode> read();

 private:
  enum class Type : std::uint8_t { number, truth };
  /// What was read last.
  struct Read {
    std::uint32_t place = 0;
    Type type = Type::truth;
    bool doubtful = false;  ///< may be false where libyara calls it undefined
  };

  template <typename Next>
  Read chain(std::string_view word, ConditionOp op, const Next& next);
  Read disjunction();
  Read conjunction();
  Read negation();
  Read comparison();
  Read arithmetic(unsigned least_precedence);
  Read unary();
  Read primary();
  Read parenthesis();
  Read string();
  Read of_strings(std::string_view quantity);
  Read loop();
  Read payload_integer(std::string_view name);
  Read literal(std::string_view word);
  Read constant(std::int64_t number, Type type);
  Read compared(ConditionOp op, Read left, Read right);

  std::uint32_t add(ConditionNode node);
  [[nodiscard]] std::string_view peek_word() const;
  bool take_word(std::string_view word);
  void expect(std::string_view text);
  Read number(Read read) const;
  Read truth(Read read) const;

  RuleSource& source_;
  std::vector<ConditionNode> nodes_;
  std::vector<std::string_view> variables_;
};

}  // namespace stoq::engine
