/// Reads STIX 1, which is XML: https://stixproject.github.io/data-model/
#pragma once

#include <string_view>

#include <stoq/value.hpp>

namespace stix {

/// A STIX_Package; null when it is XML of another kind. See Collection::take(). Throws
/// stoq::MalformedInput. Entities that a document declares are not expanded, external ones never
/// looked at.
[[nodiscard]] stoq::Value read_package(std::string_view xml);

}  // namespace stix
