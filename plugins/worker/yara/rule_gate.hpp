/// Reads from the text of YARA rules what a payload must begin with for any of them to match.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

/// The prefixes one of which a payload has if a rule of `text` matches it ("MZ" for rules that all
/// say `uint16(0) == 0x5A4D and …` or `pe.is_pe and …`). Nothing when some rule says no such thing,
/// or when the text is not understood: then it must be shown every payload.
[[nodiscard]] std::optional<std::set<std::string>> required_prefixes(std::string_view text);

/// Whether `text` uses a module, or may through an include.
[[nodiscard]] bool may_use_modules(std::string_view text);
