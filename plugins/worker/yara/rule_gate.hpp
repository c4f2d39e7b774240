/// Reads from the conditions of YARA rules what a payload must begin with for them to match.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>

#include "rule_text.hpp"

/// The prefixes one of which a payload has if `condition` holds for it: "MZ" for conditions such as
/// `uint16(0) == 0x5A4D and …`, `pe.is_pe and …` or `pe.imports("a.dll", "b") and …` (what the
/// modules pe, elf and dotnet tell is undefined of other files, and what is asked of something
/// undefined does not hold). Nothing when the condition says no such thing, or is not understood:
/// then it must be shown every payload.
[[nodiscard]] std::optional<std::set<std::string>> required_prefixes(
    std::span<const Token> condition);
