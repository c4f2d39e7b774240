#include "rule_match.hpp"

namespace {

constexpr Verdict unsure{Verdict::Kind::unsure, {}};
constexpr Verdict ended{Verdict::Kind::ended, {}};

bool is_skipped(const MagicLine& first, const Subject& subject) noexcept {
  return subject.is_text ? first.only_binary : first.only_text;
}

}  // namespace

Verdict RuleMatch::operator()(std::uint32_t rule, const Subject& subject) {
  const auto number = index_->rule(rule).first_line;
  if (is_skipped(index_->line(number), subject)) return {};
  auto passed = Answer::no;
  return try_line(number, subject, 0, passed);
}

bool RuleMatch::may_begin(std::uint32_t rule, const Subject& subject) {
  const auto& line = index_->line(index_->rule(rule).first_line);
  return !is_skipped(line, subject) &&
         test(line, subject, 0, index_->expressions(), posix_).answer != Answer::no;
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
  passed = outcome.answer;
  if (line.test == MagicLine::Test::clear && passed == Answer::yes) passed = Answer::no;
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
  if (*outcome.end < 0 || end > subject.bytes.size()) {
    passed = Answer::no;  // which libmagic forgets, too
    if (!line.tells) return {};
    return line.level == 0 ? unsure : ended;
  }
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
