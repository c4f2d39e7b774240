#include "engine/condition_reader.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace stoq::engine {
namespace {

using Op = ConditionOp;

struct Operator {
  std::string_view sign;
  unsigned precedence;
  Op op;
};

// The longer of those that begin alike first.
constexpr std::array<Operator, 8> operators{{{"|", 1, Op::bit_or},
                                             {"^", 2, Op::bit_xor},
                                             {"&", 3, Op::bit_and},
                                             {"<<", 4, Op::shift_left},
                                             {">>", 4, Op::shift_right},
                                             {"+", 5, Op::add},
                                             {"-", 5, Op::subtract},
                                             {"*", 6, Op::multiply}}};
constexpr std::array<Operator, 6> comparisons{{{"==", 0, Op::equal},
                                               {"!=", 0, Op::not_equal},
                                               {"<=", 0, Op::less_equal},
                                               {">=", 0, Op::greater_equal},
                                               {"<", 0, Op::less},
                                               {">", 0, Op::greater}}};

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// More rounds than any dispatch rule has, fewer than would be felt.
constexpr std::int64_t most_rounds = 4096;

}  // namespace

std::vector<ConditionNode> ConditionReader::read() {
  const auto whole = truth(disjunction());
  source_.skip();
  if (source_.take() != '}') throw NotTold{};
  nodes_.push_back(nodes_[whole.place]);
  return std::move(nodes_);
}

std::uint32_t ConditionReader::add(ConditionNode node) {
  nodes_.push_back(node);
  return static_cast<std::uint32_t>(nodes_.size() - 1);
}

std::string_view ConditionReader::peek_word() const {
  auto ahead = source_;
  ahead.skip();
  return ahead.word();
}

bool ConditionReader::take_word(std::string_view word) {
  if (peek_word() != word) return false;
  source_.skip();
  (void)source_.word();
  return true;
}

void ConditionReader::expect(std::string_view text) {
  source_.skip();
  if (!source_.take(text)) throw NotTold{};
}

ConditionReader::Read ConditionReader::number(Read read) const {
  if (read.type != Type::number) throw NotTold{};
  return read;
}

ConditionReader::Read ConditionReader::truth(Read read) const {
  if (read.type != Type::truth) throw NotTold{};
  return read;
}

// NOLINTBEGIN(misc-no-recursion): as deep as the rule's author nested it

ConditionReader::Read ConditionReader::disjunction() {
  return chain("or", Op::either, [this] { return conjunction(); });
}

ConditionReader::Read ConditionReader::conjunction() {
  return chain("and", Op::both, [this] { return negation(); });
}

/// One operand or several with `word` between them. The first is the outermost, so that where it
/// decides no other is looked at.
template <typename Next>
ConditionReader::Read ConditionReader::chain(std::string_view word, Op op, const Next& next) {
  const auto first = next();
  if (peek_word() != word) return first;
  std::vector<Read> operands{truth(first)};
  while (take_word(word)) operands.push_back(truth(next()));
  // Strings are not there: what asks for one is false, often the whole.
  const auto is_false = [&](const Read& read) {
    return nodes_[read.place].op == Op::number && nodes_[read.place].number == 0;
  };
  if (op == Op::both ? std::any_of(operands.begin(), operands.end(), is_false)
                     : std::all_of(operands.begin(), operands.end(), is_false)) {
    return constant(0, Type::truth);
  }
  auto made = operands.back();
  for (auto it = operands.rbegin() + 1; it != operands.rend(); ++it) {
    made = {add({.op = op, .a = it->place, .b = made.place}), Type::truth,
            made.doubtful || it->doubtful};
  }
  return made;
}

ConditionReader::Read ConditionReader::negation() {
  if (!take_word("not")) return comparison();
  const auto what = truth(negation());
  if (what.doubtful) throw NotTold{};
  return {add({.op = Op::opposite, .a = what.place}), Type::truth, false};
}

ConditionReader::Read ConditionReader::comparison() {
  const auto left = arithmetic(1);
  source_.skip();
  for (const auto& known : comparisons) {
    if (!source_.take(known.sign)) continue;
    return compared(known.op, number(left), number(arithmetic(1)));
  }
  return left;
}

ConditionReader::Read ConditionReader::compared(Op op, Read left, Read right) {
  const auto& with = nodes_[right.place];
  if (op == Op::equal && with.op == Op::number) {
    return {add({.op = Op::is_number, .a = left.place, .number = with.number}), Type::truth, false};
  }
  return {add({.op = op, .a = left.place, .b = right.place}), Type::truth, false};
}

ConditionReader::Read ConditionReader::arithmetic(unsigned least_precedence) {
  auto left = unary();
  for (;;) {
    source_.skip();
    const auto* const found =
        std::find_if(operators.begin(), operators.end(), [&](const Operator& known) {
          auto ahead = source_;
          return known.precedence >= least_precedence && ahead.take(known.sign);
        });
    if (found == operators.end()) return left;
    (void)source_.take(found->sign);
    const auto right = number(arithmetic(found->precedence + 1));
    left = {add({.op = found->op, .a = number(left).place, .b = right.place}), Type::number, false};
  }
}

ConditionReader::Read ConditionReader::unary() {
  source_.skip();
  for (const auto& [sign, op] : {std::pair{'-', Op::negative}, std::pair{'~', Op::complement}}) {
    if (source_.peek() != sign) continue;
    source_.take();
    return {add({.op = op, .a = number(unary()).place}), Type::number, false};
  }
  return primary();
}

ConditionReader::Read ConditionReader::primary() {
  source_.skip();
  const char next = source_.peek();
  if (next == '(') return parenthesis();
  if (next == '$' || next == '#' || next == '@' || next == '!') return string();
  const auto word = source_.word();
  if (word.empty()) throw NotTold{};
  if (const auto after = peek_word(); after == "of") return of_strings(word);
  if (is_digit(word.front())) return literal(word);
  if (word == "for") return loop();
  if (word == "true" || word == "false") return constant(word == "true" ? 1 : 0, Type::truth);
  if (word == "filesize") return {add({.op = Op::file_size}), Type::number, false};
  const auto known = std::find(variables_.rbegin(), variables_.rend(), word);
  if (known == variables_.rend()) return payload_integer(word);
  const auto slot = variables_.rend() - known - 1;
  return {add({.op = Op::variable, .number = slot}), Type::number, false};
}

ConditionReader::Read ConditionReader::parenthesis() {
  expect("(");
  const auto within = disjunction();
  expect(")");
  return within;
}

ConditionReader::Read ConditionReader::constant(std::int64_t number, Type type) {
  return {add({.op = Op::number, .number = number}), type, false};
}

ConditionReader::Read ConditionReader::literal(std::string_view word) {
  std::int64_t factor = 1;
  const bool hex = word.starts_with("0x");
  if (hex) word.remove_prefix(2);
  if (!hex && word.ends_with("KB")) factor = 1024;
  if (!hex && word.ends_with("MB")) factor = 1024 * 1024;
  if (factor > 1) word.remove_suffix(2);
  std::int64_t value = 0;
  const auto* const end = word.data() + word.size();
  const auto [at, error] = std::from_chars(word.data(), end, value, hex ? 16 : 10);
  if (error != std::errc() || at != end) throw NotTold{};
  const bool fraction = source_.peek() == '.' && source_.peek(1) != '.';
  if (fraction || value > (std::int64_t{1} << 40)) throw NotTold{};
  return constant(value * factor, Type::number);
}

/// "uint16be ( place )" and its kin.
ConditionReader::Read ConditionReader::payload_integer(std::string_view name) {
  ConditionNode node{.op = Op::read, .is_signed = !name.starts_with('u')};
  if (!node.is_signed) name.remove_prefix(1);
  if (name.ends_with("be")) {
    node.big_endian = true;
    name.remove_suffix(2);
  }
  node.width = name == "int8" ? 1 : name == "int16" ? 2 : name == "int32" ? 4 : 0;
  if (node.width == 0) throw NotTold{};
  expect("(");
  node.a = number(disjunction()).place;
  expect(")");
  if (const auto& at = nodes_[node.a]; at.op == Op::number) {
    node.op = Op::read_at;
    node.number = at.number;
  }
  return {add(node), Type::number, false};
}

/// A string, how often it is there, where and how long: it is not there.
ConditionReader::Read ConditionReader::string() {
  const char what = source_.take();
  (void)source_.word();
  source_.skip();
  if (what == '#') {
    if (peek_word() == "in") throw NotTold{};
    return constant(0, Type::number);
  }
  if (what == '$') {
    if (take_word("at")) {
      (void)number(arithmetic(1));
    } else if (take_word("in")) {
      expect("(");
      (void)number(disjunction());
      expect("..");
      (void)number(disjunction());
      expect(")");
    }
    return constant(0, Type::truth);
  }
  if (source_.take("[")) {
    (void)number(disjunction());
    expect("]");
  }
  return {add({.op = Op::undefined}), Type::number, false};
}

/// "any of them", "2 of ($a*, $b)": none of them is there.
ConditionReader::Read ConditionReader::of_strings(std::string_view quantity) {
  const bool some =
      quantity == "any" || quantity == "all" || (is_digit(quantity.front()) && quantity != "0");
  if (!some) throw NotTold{};
  (void)take_word("of");
  source_.skip();
  if (source_.take("(")) {
    while (source_.take() != ')') continue;
  } else if (!take_word("them")) {
    throw NotTold{};
  }
  if (const auto after = peek_word(); after == "in" || after == "at") throw NotTold{};
  return constant(0, Type::truth);
}

/// "for all i in (1 .. 5) : ( … )", behind its first word.
ConditionReader::Read ConditionReader::loop() {
  source_.skip();
  const auto quantity = source_.word();
  if (quantity != "all" && quantity != "any") throw NotTold{};
  ConditionNode node{.op = quantity == "all" ? Op::for_all : Op::for_any};
  source_.skip();
  const auto variable = source_.word();
  if (variable.empty() || variable == "of" || !take_word("in")) throw NotTold{};
  expect("(");
  const auto first = number(disjunction());
  expect("..");
  const auto last = number(disjunction());
  expect(")");
  expect(":");
  if (variables_.size() == most_loops) throw NotTold{};
  node.number = static_cast<std::int64_t>(variables_.size());
  variables_.push_back(variable);
  node.body = truth(parenthesis()).place;
  variables_.pop_back();
  node.a = first.place;
  node.b = last.place;
  const auto& from = nodes_[first.place];
  const auto& to = nodes_[last.place];
  if (from.op != Op::number || to.op != Op::number || to.number - from.number > most_rounds) {
    throw NotTold{};
  }
  // Over the matches of a string that is not there.
  if (to.number < from.number) return {add({.op = Op::undefined}), Type::truth, true};
  return {add(node), Type::truth, false};
}

// NOLINTEND(misc-no-recursion)

namespace {

/// Past tags, metas and strings, to behind "condition :".
void skip_to_condition(RuleSource& source) {
  for (source.skip(); !source.at_end(); source.skip()) {
    const char next = source.peek();
    if (next == '"' || next == '/') {
      (void)source.quoted();
    } else if (const auto word = source.word(); word.empty()) {
      source.take();
    } else if (word == "condition") {
      source.skip();
      if (!source.take(":")) throw NotTold{};
      return;
    }
  }
  throw NotTold{};
}

}  // namespace

std::optional<std::vector<Condition>> rule_conditions(std::string_view text) {
  std::vector<Condition> conditions;
  RuleSource source(text);
  try {
    for (source.skip(); !source.at_end(); source.skip()) {
      if (source.word() != "rule") return std::nullopt;
      skip_to_condition(source);
      conditions.emplace_back(ConditionReader(source).read());
    }
  } catch (const NotTold&) {
    return std::nullopt;
  }
  return conditions;
}

}  // namespace stoq::engine
