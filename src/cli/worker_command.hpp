/// Workers as commands: `stoq yara -r rules.yar -F file`, as stoQ has it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/options.hpp"

namespace stoq::cli {

/// What the help of a worker's command calls the worker's own arguments.
inline constexpr std::string_view own_group = "Plugin Options";

/// Adds a command for every worker, unless the first of `words` is a command of the program's own.
/// The one that it names, if any, gets its options; "worker:yara" there becomes "yara". Reads
/// .stoq files, runs nothing of theirs. Throws UsageError and ConfigError when the worker cannot be
/// used.
void add_worker_commands(CLI::App& app, Given& given, std::vector<std::string>& words);

/// Draws the conclusions from what such a command was given.
void conclude_worker_command(Given& given);

}  // namespace stoq::cli
