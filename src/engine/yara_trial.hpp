/// Tries out what a libyara does where versions may differ.
#pragma once

namespace stoq::engine {

/// What may be rested on.
struct YaraTrial {
  /// It asks for its blocks once to search and again to evaluate: yara_scan() may search parts.
  bool searches_parts = false;
  /// It says the same as Condition of what is not there: reads past the end, their negation, loops
  /// over them.
  bool agrees_on_conditions = false;
};

/// Compiles a few rules and scans a few bytes. Call it between yr_initialize() and yr_finalize().
[[nodiscard]] YaraTrial try_yara();

}  // namespace stoq::engine
