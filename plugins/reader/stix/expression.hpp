/// What an indicator asks of a payload: tests, joined by and, or, not. The values that reader:stix
/// gives; worker:indicators reads them.
///
///   {"op": "and", "of": […]}      also "or", and "not" of one
///   {"type": "md5", "test": "in", "values": ["…"]}
///   {"unknown": "process:name = 'x'"}   what cannot be asked of a payload
///
/// Types: md5, sha1, sha256, sha512, name, size, domain, ipv4, ipv6, url, email, mac_address,
/// registry_key. Tests: in (equal to one of the values; of ipv4 and ipv6: in one of these
/// networks), like, matches, and of sizes <, <=, >, >=, all with one value. Digests are in lower
/// case, addresses in their usual spelling, networks as address/bits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/value.hpp>

namespace stix {

enum class Join : std::uint8_t { all, any };

/// The parts joined; a single part is itself. `parts` must not be empty.
[[nodiscard]] stoq::Value joined(Join join, std::vector<stoq::Value> parts);
[[nodiscard]] stoq::Value negated(stoq::Value part);
/// What cannot be asked of a payload, as it is written.
[[nodiscard]] stoq::Value unknown(std::string_view text);
[[nodiscard]] bool is_unknown(const stoq::Value& part) noexcept;

/// Comparisons as STIX 2 spells them, in lower case, without `not`, `!=` and `==`.
enum class Test : std::uint8_t { in, like, matches, less, at_most, greater, at_least };

/// One test with its values made canonical; unknown(`written`) when a value is none of that type,
/// or the type knows no such test. `type`: as above, or "address" for ipv4, ipv6 or domain,
/// whichever the value is.
[[nodiscard]] stoq::Value test(std::string_view type, Test test, std::vector<std::string> values,
                               std::string_view written);

/// The type of a digest, by its name in any spelling ("SHA-256", "sha256"); empty when no payload's
/// digest is made in this way.
[[nodiscard]] std::string_view digest_type(std::string_view name);

[[nodiscard]] std::string lowered(std::string_view text);

}  // namespace stix
