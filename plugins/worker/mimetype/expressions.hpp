/// The regular expressions of magic: POSIX extended ones, which libmagic has the C library match.
/// RE2 is many times as fast and finds those that do not match; where it finds a match, the C
/// library is asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <locale.h>
#include <re2/re2.h>
#include <regex.h>

/// All of them, for all threads; thread-safe once the last is added.
class Expressions {
 public:
  /// Its number.
  std::size_t add(std::string pattern, bool any_case);
  [[nodiscard]] std::size_t size() const noexcept { return expressions_.size(); }
  [[nodiscard]] const std::string& pattern(std::size_t number) const noexcept {
    return expressions_[number].pattern;
  }
  [[nodiscard]] bool any_case(std::size_t number) const noexcept {
    return expressions_[number].any_case;
  }
  /// False: it does not match in `text`, which has no NUL. True says nothing.
  [[nodiscard]] bool can_match(std::size_t number, std::string_view text) const;

  /// Whether RE2 reads a pattern as the C library does, or so that it matches more.
  [[nodiscard]] static bool is_common(std::string_view pattern) noexcept;
  [[nodiscard]] static re2::RE2::Options options(bool any_case);

 private:
  struct Expression {
    std::string pattern;
    bool any_case;
    mutable std::once_flag is_made;
    mutable std::unique_ptr<const re2::RE2> made;  // null: the C library alone has a say
  };
  std::deque<Expression> expressions_;
};

/// What the C library says of them; compiled on first use. For one thread at a time.
class PosixExpressions {
 public:
  struct Match {
    bool found;
    std::size_t begin, end;
  };

  explicit PosixExpressions(const Expressions& expressions);

  /// The leftmost match in `text`, which has no NUL. Nothing when it is no expression, or memory is
  /// short.
  [[nodiscard]] std::optional<Match> find(std::size_t number, std::string_view text);

 private:
  struct Free {
    void operator()(::regex_t* compiled) const noexcept {
      ::regfree(compiled);
      delete compiled;
    }
    void operator()(::locale_t locale) const noexcept { ::freelocale(locale); }
  };
  struct Compiled {
    bool is_tried = false;
    std::unique_ptr<::regex_t, Free> regex;
  };
  [[nodiscard]] const ::regex_t* compile(std::size_t number);

  const Expressions* expressions_;
  std::unique_ptr<std::remove_pointer_t<::locale_t>, Free> locale_;
  std::vector<Compiled> compiled_;
  std::string text_;  // with a NUL behind it
};
