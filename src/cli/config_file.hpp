/// Finds stoq.cfg and lays it under the command line.
#pragma once

#include <string>
#include <vector>

#include "cli/options.hpp"

namespace stoq::cli {

/// The stoq.cfg to read: $STOQ_CONFIG (set but empty: none), else the first there is of stoq.cfg
/// beside the program, $XDG_CONFIG_HOME/stoq/stoq.cfg (~/.config/stoq/stoq.cfg), etc/stoq/stoq.cfg
/// of the installation, /etc/stoq/stoq.cfg. Never one of the working directory: what is scanned
/// may lie there. Empty when there is none.
[[nodiscard]] std::string find_config_file();

/// The folders of plugins that the file names, before all else is read. Throws ConfigError and
/// IoError.
[[nodiscard]] std::vector<std::string> plugin_dirs_of(const std::string& file);

/// Gives `command` those options of the file's sections [core] and [scan] that the command line did
/// not set (but commands that do not scan only those about plugins), and notes in `given` where
/// they stand, the plugins' options of [plugin:NAME] and [NAME], and what to warn of. Keys are
/// those of the command `scan`. Throws UsageError for a key that is unknown, ConfigError and
/// IoError for the file.
void apply_config_file(const std::string& file, const CLI::App& scan, CLI::App& command,
                       Given& given);

}  // namespace stoq::cli
