/// The options of commands that scan, and those of any command that looks for plugins.
#pragma once

#include <cstdint>

#include "cli/options.hpp"

namespace stoq::cli {

/// How options are spelt. `scan` and its like have small letters for what is used most. In the
/// command of a worker these are the worker's own; capital ones, and some long names, are stoQ's.
enum class Spelling : std::uint8_t { scan, worker };

/// All of them. What they are given goes to `given`, which must outlive the command.
void add_scan_options(CLI::App& app, Given& given, Spelling spelling);
/// To scan again and again.
void add_cron(CLI::App& app, Given& given);

void add_plugin_dirs(CLI::App& app, Given& given);
/// --option.
void add_plugin_options(CLI::App& app, Given& given);
void add_config_file(CLI::App& app, Given& given);

}  // namespace stoq::cli
