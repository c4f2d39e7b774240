/// Options of a worker that its command takes as arguments: the section [arguments] of its .stoq
/// file, such as `rules_list = -r, --rules FILE: Path to a rules file`. Nothing of the plugin runs.
#pragma once

#include <string>
#include <vector>

#include "support/ini.hpp"

namespace stoq::engine {

/// One of them.
struct PluginArgument {
  std::string option;   ///< the key of [options] that it sets
  char letter = '\0';   ///< without the dash; 0: none
  std::string name;     ///< without the dashes
  std::string metavar;  ///< what stands for its value in the help; empty: it takes none
  std::string help;
  std::string place;  ///< file and line

  /// Its values are the items of a list: it may be repeated.
  [[nodiscard]] bool is_list() const;
  /// What an argument without a value sets its option to: --no-… to false, any other to true.
  [[nodiscard]] std::string flag_value() const;
};

/// In the order of the file. Throws ConfigError, naming the line, for what is no argument.
[[nodiscard]] std::vector<PluginArgument> read_arguments(const support::Ini& file);

}  // namespace stoq::engine
