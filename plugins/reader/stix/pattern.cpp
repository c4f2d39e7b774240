#include "pattern.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "expression.hpp"
#include "lexer.hpp"
#include "object_path.hpp"

namespace stix {
namespace {

/// Brackets within brackets, at most: a pattern must not spend the stack.
constexpr int deepest = 100;

/// Recursive descent over the grammar; `!` and the like are folded into negated().
class Parser {
 public:
  explicit Parser(std::string_view pattern) : pattern_(pattern), lexer_(pattern) { advance(); }

  stoq::Value whole() {
    auto read = observations();
    if (token_.kind != Kind::end) fail("the end");
    return read;
  }

 private:
  // --- Words -------------------------------------------------------------------------------------

  void advance() { token_ = lexer_.next(); }
  [[nodiscard]] bool is_sign(std::string_view sign) const {
    return token_.kind == Kind::sign && token_.text == sign;
  }
  [[nodiscard]] bool is_word(std::string_view word) const {
    return token_.kind == Kind::word && lowered(token_.text) == lowered(word);
  }
  bool take_sign(std::string_view sign) {
    const bool is = is_sign(sign);
    if (is) advance();
    return is;
  }
  bool take_word(std::string_view word) {
    const bool is = is_word(word);
    if (is) advance();
    return is;
  }
  void need_sign(std::string_view sign) {
    if (!take_sign(sign)) fail("'" + std::string(sign) + "'");
  }
  [[noreturn]] void fail(const std::string& wanted) const {
    throw PatternError("expected " + wanted + " at offset " + std::to_string(token_.at));
  }
  std::string need(Kind kind, const std::string& wanted) {
    if (token_.kind != kind) fail(wanted);
    auto text = std::move(token_.text);
    advance();
    return text;
  }
  /// From `begin` to where the next word begins, without blanks at the end.
  [[nodiscard]] std::string_view written(std::size_t begin) const {
    auto text = pattern_.substr(begin, token_.at - begin);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\n' || text.back() == '\t')) {
      text.remove_suffix(1);
    }
    return text;
  }

  struct Nested {
    explicit Nested(Parser& parser) : depth(parser.depth_) {
      if (++depth > deepest) throw PatternError("brackets are nested too deeply");
    }
    ~Nested() { --depth; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    int& depth;
  };

  // --- Observation expressions -------------------------------------------------------------------

  stoq::Value observations() {
    const Nested nested(*this);
    std::vector<stoq::Value> parts;
    do parts.push_back(observations_or());
    while (take_word("FOLLOWEDBY"));
    return joined(Join::all, std::move(parts));
  }
  stoq::Value observations_or() {
    std::vector<stoq::Value> parts;
    do parts.push_back(observations_and());
    while (take_word("OR"));
    return joined(Join::any, std::move(parts));
  }
  stoq::Value observations_and() {
    std::vector<stoq::Value> parts;
    do parts.push_back(observation());
    while (take_word("AND"));
    return joined(Join::all, std::move(parts));
  }
  stoq::Value observation() {
    const auto begin = token_.at;
    stoq::Value read;
    if (take_sign("(")) {
      read = observations();
      need_sign(")");
    } else {
      need_sign("[");
      read = comparisons();
      need_sign("]");
    }
    while (token_.kind == Kind::word) {
      if (take_word("WITHIN")) {
        need(Kind::number, "a number of seconds");
        if (!take_word("SECONDS")) fail("SECONDS");
      } else if (take_word("START")) {
        timestamp();
        if (!take_word("STOP")) fail("STOP");
        timestamp();
      } else if (take_word("REPEATS")) {
        const bool once = need(Kind::number, "a number of times") == "1";
        if (!take_word("TIMES")) fail("TIMES");
        if (!once) read = unknown(written(begin));
      } else {
        break;
      }
    }
    return read;
  }
  void timestamp() {
    // STIX 2.0 wrote them as texts.
    if (token_.kind != Kind::timestamp && token_.kind != Kind::text) fail("a timestamp, t'…'");
    advance();
  }

  // --- Comparison expressions --------------------------------------------------------------------

  stoq::Value comparisons() {
    const Nested nested(*this);
    std::vector<stoq::Value> parts;
    do parts.push_back(comparisons_and());
    while (take_word("OR"));
    return joined(Join::any, std::move(parts));
  }
  stoq::Value comparisons_and() {
    std::vector<stoq::Value> parts;
    do parts.push_back(comparison());
    while (take_word("AND"));
    return joined(Join::all, std::move(parts));
  }
  stoq::Value comparison() {
    if (take_sign("(")) {
      auto read = comparisons();
      need_sign(")");
      return read;
    }
    const auto begin = token_.at;
    bool is_not = take_word("NOT");
    if (take_word("EXISTS")) {
      (void)path();
      return unknown(written(begin));
    }
    if (is_not) fail("EXISTS");
    const auto at = path();
    is_not = take_word("NOT");
    auto read = compare(at, begin, is_not);
    if (is_not && !is_unknown(read)) return negated(std::move(read));
    return read;
  }

  ObjectPath path() {
    ObjectPath path;
    path.object = lowered(need(Kind::word, "an object such as file"));
    need_sign(":");
    path.steps.push_back(step());
    for (;;) {
      if (take_sign(".")) {
        path.steps.push_back(step());
      } else if (take_sign("[")) {
        if (!take_sign("*")) need(Kind::number, "a number or *");
        need_sign("]");
      } else {
        return path;
      }
    }
  }
  std::string step() {
    if (token_.kind == Kind::text) return need(Kind::text, "a property");
    return need(Kind::word, "a property");
  }

  /// What is between the path and the next AND, OR or bracket.
  stoq::Value compare(const ObjectPath& path, std::size_t begin, bool& is_not) {
    if (take_word("IN")) return test_of(path, Test::in, set(), begin);
    if (take_word("LIKE")) return test_of(path, Test::like, {literal()}, begin);
    if (take_word("MATCHES")) return test_of(path, Test::matches, {literal()}, begin);
    if (take_word("ISSUBSET")) return test_of(path, Test::in, {literal()}, begin);
    if (take_word("ISSUPERSET")) {
      // A payload holds single addresses: only the network of one is within one.
      const auto value = literal();
      if (value.find('/') != value.npos && !value.ends_with("/32") && !value.ends_with("/128")) {
        return unknown(written(begin));
      }
      return test_of(path, Test::in, {value}, begin);
    }
    if (take_sign("=") || take_sign("==")) return test_of(path, Test::in, {literal()}, begin);
    if (take_sign("!=") || take_sign("<>")) {
      is_not = !is_not;
      return test_of(path, Test::in, {literal()}, begin);
    }
    constexpr std::array<std::pair<std::string_view, Test>, 4> orders{
        {{"<", Test::less}, {"<=", Test::at_most}, {">", Test::greater}, {">=", Test::at_least}}};
    for (const auto& [sign, order] : orders) {
      if (take_sign(sign)) return test_of(path, order, {literal()}, begin);
    }
    fail("a comparison such as = or IN");
  }

  stoq::Value test_of(const ObjectPath& path, Test test, std::vector<std::string> values,
                      std::size_t begin) {
    const auto type = type_of(path);
    if (type.empty() || not_text_) {
      not_text_ = false;
      return unknown(written(begin));
    }
    return stix::test(type, test, std::move(values), written(begin));
  }

  std::vector<std::string> set() {
    std::vector<std::string> values;
    need_sign("(");
    do values.push_back(literal());
    while (take_sign(","));
    need_sign(")");
    return values;
  }
  std::string literal() {
    const auto kind = token_.kind;
    if (kind == Kind::sign || kind == Kind::end) fail("a value");
    if (kind == Kind::word && !is_word("true") && !is_word("false")) fail("a value");
    not_text_ = not_text_ || (kind != Kind::text && kind != Kind::number);
    auto text = std::move(token_.text);
    advance();
    return text;
  }

  std::string_view pattern_;
  Lexer lexer_;
  Token token_;
  int depth_ = 0;
  bool not_text_ = false;  ///< the literal is of a kind that no property of a payload has
};

}  // namespace

stoq::Value read_pattern(std::string_view pattern) { return Parser(pattern).whole(); }

}  // namespace stix
