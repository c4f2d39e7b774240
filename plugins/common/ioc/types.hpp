/// The kinds of indicators, in the order in which results list them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ioc {

enum class Type : std::uint8_t {
  url,
  domain,
  ipv4,
  ipv6,
  mac_address,
  email,
  md5,
  sha1,
  sha256,
  sha512,
  cve,
  registry_key,
  windows_path,
  unix_path,
  yara_rule
};

/// As results, options and allow lists spell them; the first ten are stoQ's.
inline constexpr std::array<std::string_view, 15> type_names{
    "url",    "domain", "ipv4", "ipv6",         "mac_address",  "email",     "md5",      "sha1",
    "sha256", "sha512", "cve",  "registry_key", "windows_path", "unix_path", "yara_rule"};

constexpr std::size_t index(Type type) noexcept { return static_cast<std::size_t>(type); }

constexpr std::optional<Type> type_called(std::string_view name) noexcept {
  for (std::size_t i = 0; i < type_names.size(); ++i) {
    if (type_names[i] == name) return static_cast<Type>(i);
  }
  return std::nullopt;
}

}  // namespace ioc
