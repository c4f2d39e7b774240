#include "rule_match.hpp"

namespace {

constexpr Verdict unsure{Verdict::Kind::unsure, {}};
constexpr Verdict ended{Verdict::Kind::ended, {}};

}  // namespace

Verdict RuleMatch::operator()(std::uint32_t rule, const Subject& subject) {
  const auto number = index_->rule(rule).first_line;
  const auto& line = index_->line(number);
  if (subject.is_text ? line.only_binary : line.only_text) return {};
  auto passed = Answer::no;
  return try_line(number, subject, 0, passed);
}

Verdict RuleMatch::try_line(std::uint32_t number, const Subject& subject,
                            std::optional<std::int32_t> base, Answer& passed) {
  const auto& line = index_->line(number);
  if (line.ends_rule) return unsure;
  auto outcome = test(line, subject, base, index_->expressions(), posix_);
  if (outcome.answer == Answer::no) return {};
  if (line.test == MagicLine::Test::otherwise && passed != Answer::no) {
    if (passed == Answer::yes) return {};
    outcome = {};
  }
  if (line.test == MagicLine::Test::clear) {
    if (passed == Answer::yes) passed = Answer::unsure;
    if (outcome.answer == Answer::yes) passed = Answer::no;
  } else if (passed != Answer::yes) {
    passed = outcome.answer;
  }
  if (outcome.answer == Answer::unsure) {
    if (line.tells) return unsure;
    return try_below(number, subject, std::nullopt).kind == Verdict::Kind::none ? Verdict{}
                                                                                : unsure;
  }
  if (!line.mime_type.empty()) {
    // libmagic may fill in what is in braces.
    const bool is_fixed = line.mime_type.find("${") == line.mime_type.npos;
    return is_fixed ? Verdict{Verdict::Kind::type, line.mime_type} : unsure;
  }
  // Lines below are not tried, and at the top the search goes on, where they would count from a
  // place outside.
  const auto end = static_cast<std::uint32_t>(*outcome.end);
  const bool is_outside = end > subject.bytes.size() || *outcome.end < 0;
  if (is_outside) return line.tells ? (line.level == 0 ? unsure : ended) : Verdict{};
  const auto below = try_below(number, subject, outcome.end);
  return below.kind == Verdict::Kind::none && line.tells ? ended : below;
}

Verdict RuleMatch::try_below(std::uint32_t number, const Subject& subject,
                             std::optional<std::int32_t> base) {
  const auto& above = index_->line(number);
  auto passed = Answer::no;
  Verdict verdict;
  for (auto below = number + 1; below < above.end; below = index_->line(below).end) {
    if (index_->line(below).level != above.level + 1) continue;
    const auto one = try_line(below, subject, base, passed);
    if (one.kind == Verdict::Kind::type || one.kind == Verdict::Kind::unsure) return one;
    if (one.kind == Verdict::Kind::ended) verdict = one;
  }
  return verdict;
}
