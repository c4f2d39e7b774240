/// IP addresses as text, and networks of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ioc {

/// An address; IPv4 ones stand in the first four bytes.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool is_v6 = false;

  [[nodiscard]] std::string text() const;  ///< the usual spelling (RFC 5952)
};

/// Dotted decimal without leading zeros, or IPv6 without brackets and zone.
[[nodiscard]] std::optional<Address> parse_address(std::string_view text);

/// An address and how many of its leading bits count.
struct Network {
  Address address;
  unsigned bits = 0;

  [[nodiscard]] bool contains(const Address& other) const noexcept;
};

/// `address` or `address/bits`.
[[nodiscard]] std::optional<Network> parse_network(std::string_view text);

}  // namespace ioc
