/// The grammar of indicators, as RE2 patterns. Each is tried at one place that the first pass
/// found, on a window of bounded length: the work grows with the payload, never faster.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <re2/re2.h>

namespace ioc {

/// One pattern over bytes.
class Pattern {
 public:
  explicit Pattern(const std::string& expression);
  /// How many bytes match at `at`, of `window` at most; 0 when none do.
  [[nodiscard]] std::size_t match_at(std::string_view text, std::size_t at,
                                     std::size_t window) const;
  /// The first match at or after `at`; empty when there is none.
  [[nodiscard]] std::string_view find(std::string_view text, std::size_t at) const;
  /// `text` with every match replaced by `by`.
  [[nodiscard]] std::string replaced(std::string text, std::string_view by) const;

 private:
  RE2 expression_;
};

/// A set of its own per thread: RE2 guards the automaton that it builds while matching by a lock.
struct Patterns {
  Patterns();

  Pattern host;           ///< a name or IPv4 address, dots may be [.] (dot) \. and the like
  Pattern url_host;       ///< the same, dots may also be commas
  Pattern email_host;     ///< the same, with blanks and many brackets around, or the word "dot"
  Pattern spoken_host;    ///< an email_host with at least one dot that is not plain
  Pattern any_dot;        ///< one dot in any of these spellings
  Pattern at;             ///< [at] and the like, /at/
  Pattern separator;      ///< :// in any spelling
  Pattern user;           ///< name:password@
  Pattern ipv6_literal;   ///< [address]
  Pattern ipv6_bare;      ///< an address
  Pattern url_rest;       ///< port, path, query
  Pattern any_bracketed;  ///< [/] and the like in a path
  Pattern ipv4;           ///< found within a run of host characters
  Pattern mac;            ///< six pairs
  Pattern cve;
  Pattern windows_tail;  ///< \component\component
  Pattern quoted_tail;   ///< the same, blanks anywhere
  Pattern unc_tail;      ///< \\server\share, then the like
  Pattern unix_path;
  Pattern home_tail;  ///< /component behind a ~
  Pattern yara_rule;
};

}  // namespace ioc
