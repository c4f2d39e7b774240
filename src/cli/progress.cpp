#include "cli/progress.hpp"

#include <cmath>

#include "cli/text_table.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

constexpr auto window = std::chrono::seconds(3);

/// Seconds to go at `speed` a second; nothing when that cannot be told.
std::optional<double> remaining(std::uint64_t done, std::uint64_t all, double speed) {
  if (all <= done || speed <= 0) return std::nullopt;
  return static_cast<double>(all - done) / speed;
}

}  // namespace

std::string ProgressMeter::line(const engine::Progress& progress, Time now) {
  samples_.push_back({now, progress});
  while (samples_.size() > 2 && now - samples_[1].time >= window) samples_.pop_front();
  const auto& since = samples_.front();
  const double seconds = std::chrono::duration<double>(now - since.time).count();
  const auto speed = [seconds](std::uint64_t from, std::uint64_t to) {
    return seconds > 0 && to > from ? static_cast<double>(to - from) / seconds : 0.0;
  };
  const double bytes_speed = speed(since.progress.bytes, progress.bytes);

  std::string line = grouped(progress.roots);
  if (progress.expected_roots != 0) line += " of " + grouped(progress.expected_roots);
  line += " files · " + grouped(progress.payloads) + " payloads · " +
          support::format_size(progress.bytes);
  if (seconds > 0) line += " · " + fixed(bytes_speed / 1e6, 1) + " MB/s";
  auto eta = remaining(progress.bytes, progress.expected_bytes, bytes_speed);
  if (!eta) {
    eta = remaining(progress.roots, progress.expected_roots,
                    speed(since.progress.roots, progress.roots));
  }
  if (eta) line += " · ETA " + format_clock(*eta);
  return line;
}

std::string format_clock(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  const auto two = [](std::uint64_t number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  const auto minutes = whole / 60;
  const auto tail = ":" + two(whole % 60);
  if (minutes < 60) return std::to_string(minutes) + tail;
  return std::to_string(minutes / 60) + ":" + two(minutes % 60) + tail;
}

std::string_view clipped_view(std::string_view text, std::size_t width) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool continues = (static_cast<unsigned char>(text[i]) & 0xC0U) == 0x80U;
    if (!continues && ++characters > width) return text.substr(0, i);
  }
  return text;
}

}  // namespace stoq::cli
