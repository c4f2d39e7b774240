/// CybOX objects, what STIX 1 writes tests in: https://cyboxproject.github.io/
#pragma once

#include <string_view>

#include <pugixml.hpp>

#include <stoq/value.hpp>

namespace stix {

/// The name without its namespace's prefix.
[[nodiscard]] std::string_view local_name(const pugi::xml_node& node) noexcept;
/// The first child of that local name; null when there is none.
[[nodiscard]] pugi::xml_node child(const pugi::xml_node& node, std::string_view name);
/// An attribute without a prefix; empty when there is none.
[[nodiscard]] std::string_view attribute(const pugi::xml_node& node, const char* name);
/// xsi:type without the prefix of its value; empty when there is none.
[[nodiscard]] std::string_view xsi_type(const pugi::xml_node& node);
/// Text without blanks around it.
[[nodiscard]] std::string_view text_of(const pugi::xml_node& node);

/// What the Properties of an object ask of a payload.
[[nodiscard]] stoq::Value read_properties(const pugi::xml_node& properties);

}  // namespace stix
