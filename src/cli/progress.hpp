/// The line that says how far a run is.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "engine/run.hpp"

namespace stoq::cli {

/// Turns what is done into a line, with the speed of the last seconds. One thread.
class ProgressMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  [[nodiscard]] std::string line(const engine::Progress& progress, Time now);

 private:
  struct Sample {
    Time time;
    engine::Progress progress;
  };
  std::deque<Sample> samples_;  ///< of the last seconds, oldest first
};

/// "0:42", "12:05", "3:04:05".
[[nodiscard]] std::string format_clock(double seconds);
/// At most `width` characters of UTF-8 text, never part of one.
[[nodiscard]] std::string_view clipped_view(std::string_view text, std::size_t width);
[[nodiscard]] inline std::string clipped(std::string_view text, std::size_t width) {
  return std::string(clipped_view(text, width));
}

}  // namespace stoq::cli
