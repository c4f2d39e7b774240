/// Names and addresses of machines, with their defanged spellings undone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "patterns.hpp"
#include "tlds.hpp"

namespace ioc {

/// The longest host name (RFC 1035, 2.3.4), local part of an e-mail address (RFC 5321, 4.5.3.1.1),
/// host with all the brackets of a defanged one. Bytes.
inline constexpr std::size_t most_host = 253;
inline constexpr std::size_t most_local = 64;
inline constexpr std::size_t most_defanged = 1024;

/// What a run of host characters turned out to be.
struct Host {
  enum class Kind : std::uint8_t { none, domain, ipv4, ipv6 };
  Kind kind = Kind::none;
  std::string text;  ///< in lower case
};

/// Whether `name`, in lower case, has the form of a domain name: labels of 1 to 63 letters, digits
/// and inner hyphens (and '_' left of the last two), 253 bytes at most, the last label no number.
[[nodiscard]] bool is_domain_form(std::string_view name) noexcept;

/// The last label.
[[nodiscard]] constexpr std::string_view tld_of(std::string_view name) noexcept {
  return name.substr(name.rfind('.') + 1);
}

/// A name under a known top-level domain, or an IPv4 address. `written` holds plain dots only.
[[nodiscard]] Host classify(std::string_view written, const Tlds& tlds);

/// `written` with every spelling of a dot made plain.
[[nodiscard]] std::string refanged(std::string_view written, const Patterns& patterns);

}  // namespace ioc
