/// What of a payload indicators ask for.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stix {

enum class Kind : std::uint8_t {
  md5,
  sha1,
  sha256,
  sha512,
  name,
  size,
  domain,
  ipv4,
  ipv6,
  url,
  email,
  mac_address,
  registry_key
};

/// As reader:stix and reader:iocregex spell them.
inline constexpr std::array<std::string_view, 13> kind_names{
    "md5",  "sha1", "sha256", "sha512", "name",        "size",        "domain",
    "ipv4", "ipv6", "url",    "email",  "mac_address", "registry_key"};

constexpr std::size_t index(Kind kind) noexcept { return static_cast<std::size_t>(kind); }
constexpr std::string_view to_string(Kind kind) noexcept { return kind_names[index(kind)]; }

/// Whether it is found in the payload's text.
constexpr bool is_in_text(Kind kind) noexcept { return kind >= Kind::domain; }

[[nodiscard]] std::optional<Kind> kind_called(std::string_view name) noexcept;

/// The value in the one spelling that equal values share: letter case where it says nothing, the
/// empty path of a URL, the long names of registry hives, separators of MAC addresses.
[[nodiscard]] std::string key_of(Kind kind, std::string_view value);

}  // namespace stix
