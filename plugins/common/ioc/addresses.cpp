#include "addresses.hpp"

#include <charconv>
#include <system_error>

#include <arpa/inet.h>
#include <sys/socket.h>

namespace ioc {

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  return inet_ntop(is_v6 ? AF_INET6 : AF_INET, bytes.data(), out.data(), out.size());
}

std::optional<Address> parse_address(std::string_view text) {
  // inet_pton wants a C string; no address is longer.
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  Address address;
  address.is_v6 = text.find(':') != text.npos;
  const std::string copy(text);
  if (inet_pton(address.is_v6 ? AF_INET6 : AF_INET, copy.c_str(), address.bytes.data()) != 1) {
    return std::nullopt;
  }
  return address;
}

bool Network::contains(const Address& other) const noexcept {
  if (address.is_v6 != other.is_v6) return false;
  for (unsigned bit = 0; bit < bits; bit += 8) {
    const unsigned mask = bits - bit >= 8 ? 0xffU : 0xffU << (8 - (bits - bit)) & 0xffU;
    if (((address.bytes[bit / 8] ^ other.bytes[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const unsigned most = address->is_v6 ? 128 : 32;
  Network network{*address, most};
  if (slash == text.npos) return network;
  const auto number = text.substr(slash + 1);
  const auto* const end = number.data() + number.size();
  const auto [stop, failure] = std::from_chars(number.data(), end, network.bits);
  if (failure != std::errc{} || stop != end || network.bits > most) return std::nullopt;
  return network;
}

}  // namespace ioc
