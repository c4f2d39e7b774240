#include "expression.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "ioc/addresses.hpp"

namespace stix {
namespace {

constexpr std::array<std::pair<std::string_view, std::size_t>, 4> digests{
    {{"md5", 32}, {"sha1", 40}, {"sha256", 64}, {"sha512", 128}}};

std::string_view name_of(Test test) {
  constexpr std::string_view names[] = {"in", "like", "matches", "<", "<=", ">", ">="};
  return names[static_cast<std::size_t>(test)];
}

std::optional<std::string> canonical_address(std::string_view text, bool is_v6) {
  const auto network = ioc::parse_network(text);
  if (!network || network->address.is_v6 != is_v6) return {};
  auto address = network->address.text();
  const unsigned all = is_v6 ? 128 : 32;
  return network->bits == all ? address : address + "/" + std::to_string(network->bits);
}

std::optional<std::string> canonical_digest(std::string_view text, std::size_t digits) {
  auto digest = lowered(text);
  const bool is_hex = digest.find_first_not_of("0123456789abcdef") == digest.npos;
  return is_hex && digest.size() == digits ? std::optional(digest) : std::nullopt;
}

std::optional<std::string> canonical_size(std::string_view text) {
  std::uint64_t size = 0;
  const auto* const end = text.data() + text.size();
  const auto [next, failure] = std::from_chars(text.data(), end, size);
  if (failure != std::errc{} || next != end) return {};
  return std::to_string(size);
}

/// The value as payloads' are written; nothing when it is none of that type.
std::optional<std::string> canonical(std::string_view type, const std::string& value) {
  for (const auto& [name, digits] : digests) {
    if (type == name) return canonical_digest(value, digits);
  }
  if (type == "ipv4" || type == "ipv6") return canonical_address(value, type == "ipv6");
  if (type == "size") return canonical_size(value);
  if (value.empty()) return {};
  if (type == "domain") {
    auto name = lowered(value);
    if (name.size() > 1 && name.back() == '.') name.pop_back();
    return name;
  }
  return value;
}

bool knows(std::string_view type, Test test) {
  const bool is_order = test >= Test::less;
  if (type == "size") return is_order || test == Test::in;
  return !is_order;
}

/// An address is tested as what it is.
std::string_view type_of_address(const std::string& value) {
  const auto network = ioc::parse_network(value);
  if (!network) return "domain";
  return network->address.is_v6 ? "ipv6" : "ipv4";
}

}  // namespace

stoq::Value joined(Join join, std::vector<stoq::Value> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  return {{"op", join == Join::all ? "and" : "or"}, {"of", std::move(parts)}};
}

stoq::Value negated(stoq::Value part) {
  return {{"op", "not"}, {"of", stoq::Value::Array{std::move(part)}}};
}

stoq::Value unknown(std::string_view text) { return {{"unknown", text}}; }

bool is_unknown(const stoq::Value& part) noexcept { return !part["unknown"].is_null(); }

stoq::Value test(std::string_view type, Test test, std::vector<std::string> values,
                 std::string_view written) {
  if (values.empty()) return unknown(written);
  if (type == "address") {
    // One test for each kind that the values are of.
    std::vector<stoq::Value> parts;
    for (const auto* kind : {"ipv4", "ipv6", "domain"}) {
      std::vector<std::string> some;
      std::copy_if(values.begin(), values.end(), std::back_inserter(some),
                   [&](const auto& value) { return type_of_address(value) == kind; });
      if (!some.empty()) parts.push_back(stix::test(kind, test, std::move(some), written));
    }
    return joined(Join::any, std::move(parts));
  }
  if (!knows(type, test)) return unknown(written);
  stoq::Value::Array items;
  for (const auto& value : values) {
    const bool is_pattern = test == Test::like || test == Test::matches;
    auto item = is_pattern ? std::optional(value) : canonical(type, value);
    if (!item) return unknown(written);
    items.emplace_back(std::move(*item));
  }
  return {{"type", type}, {"test", name_of(test)}, {"values", std::move(items)}};
}

std::string_view digest_type(std::string_view name) {
  std::string plain;
  for (const char c : lowered(name)) {
    if (c != '-' && c != '_' && c != ' ') plain += c;
  }
  for (const auto& [type, digits] : digests) {
    if (plain == type) return type;
  }
  return {};
}

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

}  // namespace stix
