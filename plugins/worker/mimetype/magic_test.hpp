/// Tests one line of magic on a payload as libmagic does (file's src/softmagic.c, release 5.44).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "expressions.hpp"
#include "magic_line.hpp"

/// What lines are tested on: a payload for binary rules, its text in UTF-8 for text rules.
struct Subject {
  std::string_view bytes;
  bool is_text;  ///< whether the payload is
  /// Where each literal is first, as Literals::find() says, if it was looked for.
  const std::vector<std::uint32_t>* literals = nullptr;
};

enum class Answer : std::uint8_t { no, yes, unsure };

struct Outcome {
  Answer answer = Answer::unsure;
  /// What the lines below count from, if they do; nothing where that is not known.
  std::optional<std::int32_t> end;
};

/// Not for `otherwise`, whose outcome depends on other lines. `base`: what a relative offset counts
/// from.
[[nodiscard]] Outcome test(const MagicLine& line, const Subject& subject,
                           std::optional<std::int32_t> base, const Expressions& expressions,
                           PosixExpressions& posix);

/// The part of a payload at an offset that libmagic gives the C library for an expression.
[[nodiscard]] std::string_view expression_text(const MagicLine& line, std::string_view bytes,
                                               std::size_t at) noexcept;
