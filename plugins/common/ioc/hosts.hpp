/// Names and addresses of machines, with their defanged spellings undone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "patterns.hpp"
#include "tlds.hpp"

namespace ioc {

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
