#include "expression_filter.hpp"

#include <algorithm>
#include <string>

#include "expressions.hpp"
#include "magic_test.hpp"

namespace {

bool any_case(const MagicLine& line) noexcept {
  return line.has_modifier(MagicLine::lower_matches_upper | MagicLine::upper_matches_lower);
}

}  // namespace

std::optional<std::uint32_t> ExpressionFilter::add(const MagicLine& line) {
  int number = 0;
  if (!Expressions::is_common(line.pattern) ||
      expressions_.Add(line.pattern, Expressions::options(any_case(line)), &number) !=
          re2::RE2::NoError) {
    return std::nullopt;
  }
  lines_.push_back(&line);
  return static_cast<std::uint32_t>(number);
}

void ExpressionFilter::build(Literals& literals) {
  if (lines_.empty()) return;
  std::vector<std::string> atoms;
  expressions_.Compile(&atoms);
  for (const auto& atom : atoms) {
    atoms_.push_back(static_cast<std::uint32_t>(literals.add(atom)));
  }
  std::vector<int> in_any_text;
  expressions_.AllPotentials({}, &in_any_text);
  std::sort(in_any_text.begin(), in_any_text.end());
  for (const int number : in_any_text) put_together(number);
  for (auto& [set, one, numbers] : together_) {
    if (!set->Compile()) set.reset();
  }
}

void ExpressionFilter::put_together(int number) {
  const auto& line = *lines_[static_cast<std::size_t>(number)];
  auto at = std::find_if(together_.begin(), together_.end(), [&](const Together& those) {
    const auto& other = *those.one;
    return line.offset == other.offset && line.range == other.range && line.lines == other.lines &&
           any_case(line) == any_case(other);
  });
  if (at == together_.end()) {
    auto options = Expressions::options(any_case(line));
    options.set_max_mem(std::int64_t{8} << 20);
    auto set = std::make_unique<re2::RE2::Set>(options, re2::RE2::UNANCHORED);
    at = together_.insert(at, Together{std::move(set), &line, {}});
  }
  if (at->set->Add(line.pattern, nullptr) >= 0) at->numbers.push_back(number);
}

void ExpressionFilter::find(std::string_view text, const std::vector<std::uint32_t>& first,
                            Scratch& scratch) const {
  scratch.may_match.assign(lines_.size(), false);
  if (lines_.empty()) return;
  scratch.found.clear();
  for (std::size_t i = 0; i < atoms_.size(); ++i) {
    if (first[atoms_[i]] != Literals::nowhere) scratch.found.push_back(static_cast<int>(i));
  }
  const auto keep = [&](int number) { scratch.may_match[static_cast<std::size_t>(number)] = true; };
  expressions_.AllPotentials(scratch.found, &scratch.possible);
  std::for_each(scratch.possible.begin(), scratch.possible.end(), keep);
  for (const auto& [set, one, numbers] : together_) {
    if (!set) continue;
    for (const int number : numbers) {
      scratch.may_match[static_cast<std::size_t>(number)] = false;
    }
    const auto part = expression_text(*one, text, static_cast<std::size_t>(one->offset));
    re2::RE2::Set::ErrorInfo error{};
    scratch.possible.clear();
    set->Match({part.data(), part.size()}, &scratch.possible, &error);
    if (error.kind != re2::RE2::Set::kNoError) {
      std::for_each(numbers.begin(), numbers.end(), keep);
      continue;
    }
    for (const int index : scratch.possible) keep(numbers[static_cast<std::size_t>(index)]);
  }
}
