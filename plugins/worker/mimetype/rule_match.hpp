/// What one rule of magic says of a payload, without libmagic.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "expressions.hpp"
#include "magic_index.hpp"
#include "magic_test.hpp"

struct Verdict {
  enum class Kind : std::uint8_t {
    none,    ///< it does not match
    type,    ///< it matches, and gives a MIME type
    ended,   ///< it matches without one: no rule after it is tried
    unsure,  ///< only libmagic can tell
  };
  Kind kind = Kind::none;
  std::string_view type{};
};

/// Has libmagic's way through the lines of a rule. For one thread at a time.
class RuleMatch {
 public:
  explicit RuleMatch(const MagicIndex& index) : index_(&index), posix_(index.expressions()) {}

  [[nodiscard]] Verdict operator()(std::uint32_t rule, const Subject& subject);
  /// False: its first line fails.
  [[nodiscard]] bool may_begin(std::uint32_t rule, const Subject& subject);

 private:
  /// Of one line and those below it. `passed`: whether a line on its level did.
  Verdict try_line(std::uint32_t number, const Subject& subject, std::optional<std::int32_t> base,
                   Answer& passed);
  /// Of the lines right below another.
  Verdict try_below(std::uint32_t number, const Subject& subject, std::optional<std::int32_t> base);

  const MagicIndex* index_;
  PosixExpressions posix_;
};
