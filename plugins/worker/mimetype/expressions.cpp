#include "expressions.hpp"

#include <algorithm>
#include <utility>

namespace {

/// libmagic compiles and matches by the C locale, whatever the program's is.
class UseLocale {
 public:
  explicit UseLocale(::locale_t locale) noexcept : before_(::uselocale(locale)) {}
  UseLocale(const UseLocale&) = delete;
  UseLocale& operator=(const UseLocale&) = delete;
  ~UseLocale() { ::uselocale(before_); }

 private:
  ::locale_t before_;
};

bool is_letter_or_digit(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

std::size_t Expressions::add(std::string pattern, bool any_case) {
  auto& added = expressions_.emplace_back();
  added.pattern = std::move(pattern);
  added.any_case = any_case;
  return expressions_.size() - 1;
}

bool Expressions::is_common(std::string_view pattern) noexcept {
  if (pattern.find("{,") != pattern.npos) return false;  // RE2: not a bound
  bool is_in_set = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    const auto next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
    if (c == '\\') {
      // In a set it stands for itself, but not to RE2; before these it has a sense of its own.
      constexpr std::string_view gnu = "<>`'";
      if (is_in_set || is_letter_or_digit(next) || gnu.find(next) != gnu.npos) return false;
      ++i;
    } else if (!is_in_set && c == '[') {
      is_in_set = true;
      if (next == '^') ++i;
      if (i + 1 < pattern.size() && pattern[i + 1] == ']') ++i;  // first in a set: a member
    } else if (is_in_set && c == '[' && next == ':') {
      const auto end = pattern.find(":]", i);
      if (end == pattern.npos) return false;
      i = end + 1;
    } else if (is_in_set && c == '[' && (next == '.' || next == '=')) {
      return false;
    } else if (is_in_set && c == ']') {
      is_in_set = false;
    }
  }
  return true;
}

re2::RE2::Options Expressions::options(bool any_case) {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_posix_syntax(true);
  options.set_log_errors(false);
  options.set_max_mem(std::int64_t{2} << 20);
  options.set_case_sensitive(!any_case);
  return options;
}

bool Expressions::can_match(std::size_t number, std::string_view text) const {
  const auto& expression = expressions_[number];
  std::call_once(expression.is_made, [&] {
    if (!is_common(expression.pattern)) return;
    auto made = std::make_unique<const re2::RE2>(expression.pattern, options(expression.any_case));
    if (made->ok()) expression.made = std::move(made);
  });
  return !expression.made || re2::RE2::PartialMatch({text.data(), text.size()}, *expression.made);
}

PosixExpressions::PosixExpressions(const Expressions& expressions)
    : expressions_(&expressions),
      locale_(::newlocale(LC_ALL_MASK, "C", nullptr)),
      compiled_(expressions.size()) {}

const ::regex_t* PosixExpressions::compile(std::size_t number) {
  auto& compiled = compiled_[number];
  if (!std::exchange(compiled.is_tried, true)) {
    auto regex = std::make_unique<::regex_t>();
    const int flags = REG_EXTENDED | REG_NEWLINE | (expressions_->any_case(number) ? REG_ICASE : 0);
    if (::regcomp(regex.get(), expressions_->pattern(number).c_str(), flags) == 0) {
      compiled.regex.reset(regex.release());
    }
  }
  return compiled.regex.get();
}

std::optional<PosixExpressions::Match> PosixExpressions::find(std::size_t number,
                                                              std::string_view text) {
  const UseLocale use(locale_.get());
  const auto* const regex = compile(number);
  if (regex == nullptr) return std::nullopt;
  // REG_STARTEND would spare the copy; but what looks on (AddressSanitizer) reads on to a NUL, and
  // few expressions come so far.
  text_ = text;
  ::regmatch_t match{};
  const int result = ::regexec(regex, text_.c_str(), 1, &match, 0);
  if (result == REG_NOMATCH) return Match{false, 0, 0};
  if (result != 0) return std::nullopt;
  return Match{true, static_cast<std::size_t>(match.rm_so), static_cast<std::size_t>(match.rm_eo)};
}
