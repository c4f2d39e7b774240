#include "patterns.hpp"

namespace stix {
namespace {

/// For the automaton of all patterns of one kind.
constexpr std::int64_t most_memory = std::int64_t{256} << 20;

RE2::Options options(bool any_case) {
  // Values are bytes: a name need not be UTF-8.
  RE2::Options options(RE2::Latin1);
  options.set_log_errors(false);
  options.set_case_sensitive(!any_case);
  options.set_max_mem(most_memory);
  return options;
}

}  // namespace

Patterns::Patterns(bool any_case)
    : set_(std::make_unique<RE2::Set>(options(any_case), RE2::UNANCHORED)) {}

std::string Patterns::add_like(std::string_view like, std::uint32_t number) {
  std::string expression = "(?s)\\A";
  for (const char c : like) {
    if (c == '%') {
      expression += ".*";
    } else if (c == '_') {
      expression += '.';
    } else {
      expression += RE2::QuoteMeta({&c, 1});
    }
  }
  return add_expression(expression + "\\z", number);
}

std::string Patterns::add_expression(std::string_view expression, std::uint32_t number) {
  std::string error;
  if (set_->Add({expression.data(), expression.size()}, &error) < 0) return error;
  numbers_.push_back(number);
  return {};
}

bool Patterns::compile() { return numbers_.empty() || set_->Compile(); }

bool Patterns::match(std::string_view value, std::vector<std::uint32_t>& numbers) const {
  std::vector<int> found;
  RE2::Set::ErrorInfo failure{};
  if (!set_->Match({value.data(), value.size()}, &found, &failure)) {
    return failure.kind == RE2::Set::kNoError;
  }
  for (const auto at : found) numbers.push_back(numbers_[static_cast<std::size_t>(at)]);
  return true;
}

}  // namespace stix
