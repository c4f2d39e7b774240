/// Reads STIX 2.0 and 2.1, which are JSON.
#pragma once

#include <string_view>

#include <stoq/value.hpp>

namespace stix {

/// A bundle, an object, a list of objects, or what a TAXII server answers; null when it is JSON and
/// none of these. See Collection::take(). Throws stoq::MalformedInput when it is no JSON.
[[nodiscard]] stoq::Value read_bundle(std::string_view json);

}  // namespace stix
