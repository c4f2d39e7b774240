/// Ciphers that turn each byte into another, whatever stands beside it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <stoq/plugin.hpp>

namespace stoq::common {

/// What each byte becomes.
using ByteMap = std::array<std::byte, 256>;

[[nodiscard]] inline std::byte mapped(const ByteMap& map, std::byte byte) noexcept {
  return map[std::to_integer<std::size_t>(byte)];
}

/// Brings out the whole of `view` with every byte mapped; what a limit leaves of it otherwise.
inline void produce_mapped(ByteView view, const ByteMap& map, ChildInfo info,
                           const Request& request, Children& children) {
  constexpr std::size_t block_size = 65536;
  info.keep_prefix = true;
  children.produce(std::move(info), view.size(), [&](Buffer& buffer) {
    for (auto rest = view; !rest.empty() && !request.stop_requested();) {
      // Where nothing remains, one byte more says so.
      const auto most = std::max<std::size_t>(buffer.remaining(), 1);
      const auto room = buffer.prepare(std::min({rest.size(), block_size, most}));
      for (std::size_t i = 0; i < room.size(); ++i) room[i] = mapped(map, rest[i]);
      buffer.commit(room.size());
      rest = rest.subspan(room.size());
    }
  });
}

/// A rule that cannot be followed; found out only now, for rules are loaded without the plugins.
[[noreturn]] inline void refuse_rule(std::string_view plugin, const Value& args,
                                     std::string_view reason) {
  throw MalformedInput(std::string(plugin) + ": rule '" + std::string(args.text("rule", "?")) +
                       "': " + std::string(reason));
}

/// The rule's meta `key`, true or false.
[[nodiscard]] inline bool flag(std::string_view plugin, const Value& args, std::string_view key,
                               bool fallback) {
  const auto& value = args[key];
  if (value.is_null()) return fallback;
  if (const auto* set = value.get_if<bool>()) return *set;
  refuse_rule(plugin, args, std::string(key) + " is not true or false");
}

/// The rule's meta `amount`, a whole number of any sign.
[[nodiscard]] inline std::int64_t amount(std::string_view plugin, const Value& args,
                                         std::int64_t fallback) {
  const auto& value = args["amount"];
  if (value.is_null()) return fallback;
  if (const auto* given = value.get_if<std::int64_t>()) return *given;
  refuse_rule(plugin, args, "amount is no whole number");
}

/// Moves the characters from `first` to `last` by `amount` places, round and round; all others stay
/// as they are in `map`.
inline void turn(ByteMap& map, char first, char last, std::int64_t amount) {
  const std::int64_t count = last - first + 1;
  const auto step = (amount % count + count) % count;
  for (std::int64_t i = 0; i < count; ++i) {
    map[static_cast<std::size_t>(first + i)] = static_cast<std::byte>(first + (i + step) % count);
  }
}

/// Every byte as it is.
[[nodiscard]] inline ByteMap unchanged() noexcept {
  ByteMap map{};
  for (std::size_t i = 0; i < map.size(); ++i) map[i] = static_cast<std::byte>(i);
  return map;
}

}  // namespace stoq::common
