/// Which property of which object a comparison of a STIX 2 pattern looks at.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stix {

struct ObjectPath {
  std::string object;              ///< file, ipv4-addr
  std::vector<std::string> steps;  ///< hashes, SHA-256; list indices are left out
};

/// What of a payload it is: a type of expression.hpp, or "address"; empty when it is nothing of
/// one.
[[nodiscard]] std::string_view type_of(const ObjectPath& path);

}  // namespace stix
