/// Shows the figures of a benchmark.
#pragma once

#include <cstddef>
#include <string>

#include "cli/bench_figures.hpp"
#include "engine/config.hpp"

namespace stoq::cli {

/// Tables for people, no line longer than `width` where that can be had.
[[nodiscard]] std::string format_bench(const BenchFigures& figures, std::size_t width);
/// Every figure, for machines; ends with a newline.
[[nodiscard]] std::string bench_json(const BenchFigures& figures, const engine::Config& config);

}  // namespace stoq::cli
