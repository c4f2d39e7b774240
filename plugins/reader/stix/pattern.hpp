/// Reads STIX 2 patterns.
#pragma once

#include <string_view>

#include <stoq/value.hpp>

namespace stix {

/// The expression (expression.hpp) of a pattern: all of the grammar of STIX 2.1, chapter 9.
/// A payload is one observation: observation expressions joined by AND or FOLLOWEDBY must all hold
/// of it, and qualifiers about time (WITHIN, START … STOP) are as good as met; REPEATS of more than
/// once cannot be seen in one. Throws PatternError.
[[nodiscard]] stoq::Value read_pattern(std::string_view pattern);

}  // namespace stix
