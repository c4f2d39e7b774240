#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace stoq {

/// Traffic Light Protocol: with whom a payload may be shared, the freest first, so that `a < b`
/// means that b is the more restricted (FIRST, TLP 2.0; `white` is its `clear`).
enum class Tlp : std::uint8_t { white, green, amber, red };

/// The level as options and records spell it.
[[nodiscard]] constexpr std::string_view to_string(Tlp level) noexcept {
  constexpr std::array<std::string_view, 4> names{"white", "green", "amber", "red"};
  return names[static_cast<std::size_t>(level)];
}

/// The level called so ("clear" is white); nothing for other words.
[[nodiscard]] constexpr std::optional<Tlp> parse_tlp(std::string_view word) noexcept {
  if (word == "clear") return Tlp::white;
  for (const auto level : {Tlp::white, Tlp::green, Tlp::amber, Tlp::red}) {
    if (to_string(level) == word) return level;
  }
  return std::nullopt;
}

}  // namespace stoq
