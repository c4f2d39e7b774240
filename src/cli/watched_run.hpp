/// Runs a configuration with somebody looking after it.
#pragma once

#include "cli/arguments.hpp"
#include "engine/run.hpp"

namespace stoq::cli {

/// Throws UsageError when options are set for a plugin that does not exist: a misspelt one's would
/// otherwise lie there unread.
void check_plugin_names(const engine::Config& config);

/// Whether results, or texts made of them, go to standard output.
[[nodiscard]] bool writes_to_stdout(const engine::Config& config);

/// Runs it, with progress on the terminal if that is wanted, until it is done or a signal ends it.
/// `signalled`: whether one came, also when it throws.
[[nodiscard]] engine::Summary run_watched(const Arguments& arguments, bool* signalled = nullptr);

}  // namespace stoq::cli
