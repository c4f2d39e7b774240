/// What is said at the end of a run.
#pragma once

#include <string>

#include "engine/config.hpp"
#include "engine/run.hpp"

namespace stoq::cli {

/// A page for people: what was scanned, how it ended, what was slow, which limits were hit.
[[nodiscard]] std::string format_summary(const engine::Summary& summary,
                                         const engine::Config& config);

}  // namespace stoq::cli
