/// External variables of YARA rules.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

using External = std::variant<bool, std::int64_t, double, std::string>;
using Externals = std::map<std::string, External, std::less<>>;

/// Reads `{"name": value, …}`; values are text, numbers or true/false. Throws ConfigError.
[[nodiscard]] Externals externals_from_json(const std::string& json);

/// Adds each `name=value`, which becomes a number or true/false where it looks like one, as with
/// the command yara. Throws ConfigError.
void add_externals(Externals& externals, const std::vector<std::string>& assignments);
