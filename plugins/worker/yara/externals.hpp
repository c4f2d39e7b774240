/// External variables of YARA rules.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <stoq/value.hpp>

using External = std::variant<bool, std::int64_t, double, std::string>;
using Externals = std::map<std::string, External, std::less<>>;

/// Takes an object whose values are text, numbers or true/false. Throws ConfigError.
[[nodiscard]] Externals externals_of(const stoq::Value& dict);

/// Adds each `name=value`, which becomes a number or true/false where it looks like one, as with
/// the command yara. Throws ConfigError.
void add_externals(Externals& externals, const std::vector<std::string>& assignments);
