/// Reads what libyara compiled regular expressions and hex strings to, without running it.
/// Instructions: yara/re.h.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <vector>

/// Which bytes fit somewhere.
using ByteSet = std::bitset<256>;

/// How many characters the code can go through at most; libyara's own limit where that is not
/// known, or is higher.
[[nodiscard]] std::size_t longest_match(const std::uint8_t* code);

/// What the first characters of every match are, as far as their number is fixed; `most` of them at
/// most. Letters stand for both cases where the expression ignores it.
[[nodiscard]] std::vector<ByteSet> leading_characters(const std::uint8_t* code, std::size_t most);
