/// What a payload must hold for libyara to find a string of its rules, read from compiled rules.
///
/// libyara looks for atoms: for each string some byte strings, of at most four bytes, one of which
/// every match has in it. Where an atom stands it tries the string. Atoms are frequent; a needle is
/// what must stand around an atom for the trial to succeed: all of a plain text, and of a regular
/// expression as much as is of fixed length.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <yara.h>

/// libyara searches for a string with a wide gap in links, and joins them by their distance.
struct ChainLink {
  std::size_t chain, link;
  friend bool operator==(const ChainLink&, const ChainLink&) = default;
  friend auto operator<=>(const ChainLink&, const ChainLink&) = default;
};

struct Needle {
  std::string expression;  ///< in Perl's syntax, over bytes
  std::size_t size = 0;    ///< of what it matches
  bool any_case = false;
  std::optional<std::size_t> only_at;  ///< at other offsets it does not matter
  std::optional<ChainLink> link;
  /// As much libyara must see on both sides to come to the end it comes to when it sees all.
  std::size_t before = 0, after = 0;
};

struct Needles {
  std::vector<Needle> needles;
  std::vector<std::size_t> links;  ///< by chain: how many it has
};

/// The needles of all strings: where none is, no string matches. Nothing when libyara tries a
/// string at every byte, or when the rules are not understood: then it must see all.
[[nodiscard]] std::optional<Needles> needles_of(const YR_RULES& rules);
