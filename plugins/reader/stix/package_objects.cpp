#include "package_objects.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "expression.hpp"

namespace stix {
namespace {

using Parts = std::vector<stoq::Value>;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  return first == text.npos ? std::string_view()
                            : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Several values stand in one field, with a delimiter between them.
std::vector<std::string> values_of(const pugi::xml_node& field) {
  auto delimiter = attribute(field, "delimiter");
  if (delimiter.empty()) delimiter = "##comma##";
  std::vector<std::string> values;
  for (auto rest = text_of(field); !rest.empty();) {
    const auto end = std::min(rest.find(delimiter), rest.size());
    if (const auto value = trimmed(rest.substr(0, end)); !value.empty()) values.emplace_back(value);
    rest.remove_prefix(std::min(end + delimiter.size(), rest.size()));
  }
  return values;
}

/// For LIKE, which has no escape: a '_' of the value stands for any character, a '%' for any text.
std::string with_wildcards(const std::string& value, bool open_begin, bool open_end) {
  return (open_begin ? "%" : "") + value + (open_end ? "%" : "");
}

/// One test for the field, as its attribute `condition` says.
stoq::Value by_condition(std::string_view type, std::string_view condition,
                         std::vector<std::string> values, const std::string& written) {
  const auto likes = [&](bool open_begin, bool open_end) {
    Parts parts;
    for (const auto& value : values) {
      parts.push_back(
          test(type, Test::like, {with_wildcards(value, open_begin, open_end)}, written));
    }
    return parts.empty() ? unknown(written) : joined(Join::any, std::move(parts));
  };
  const auto ordered = [&](Test order) {
    return values.size() == 1 ? test(type, order, std::move(values), written) : unknown(written);
  };
  const auto turned = [](stoq::Value part) {
    return is_unknown(part) ? part : negated(std::move(part));
  };
  if (condition.empty() || condition == "Equals") {
    return test(type, Test::in, std::move(values), written);
  }
  if (condition == "DoesNotEqual") {
    return turned(test(type, Test::in, std::move(values), written));
  }
  if (condition == "Contains") return likes(true, true);
  if (condition == "DoesNotContain") return turned(likes(true, true));
  if (condition == "StartsWith") return likes(false, true);
  if (condition == "EndsWith") return likes(true, false);
  if (condition == "FitsPattern") return test(type, Test::matches, std::move(values), written);
  if (condition == "LessThan") return ordered(Test::less);
  if (condition == "LessThanOrEqual") return ordered(Test::at_most);
  if (condition == "GreaterThan") return ordered(Test::greater);
  if (condition == "GreaterThanOrEqual") return ordered(Test::at_least);
  return unknown(written);
}

stoq::Value field_test(std::string_view type, const pugi::xml_node& field) {
  const auto condition = attribute(field, "condition");
  const auto apply = attribute(field, "apply_condition");
  auto written = std::string(local_name(field)) + " " +
                 std::string(condition.empty() ? "Equals" : condition) + " '" +
                 std::string(text_of(field)) + "'";
  auto values = values_of(field);
  if (!apply.empty() && apply != "ANY" && values.size() > 1) {
    // ALL: each value must be met on its own; NONE: none of them.
    Parts parts;
    for (auto& value : values) {
      auto part = by_condition(type, condition, {std::move(value)}, written);
      parts.push_back(apply == "NONE" && !is_unknown(part) ? negated(std::move(part))
                                                           : std::move(part));
    }
    return joined(Join::all, std::move(parts));
  }
  return by_condition(type, condition, std::move(values), written);
}

stoq::Value hash_test(const pugi::xml_node& hash) {
  auto value = child(hash, "Simple_Hash_Value");
  auto name = std::string(text_of(child(hash, "Type")));
  if (!value) return unknown("a fuzzy hash, " + name);
  auto type = digest_type(name);
  if (type.empty() && (name.empty() || name == "Other")) {
    // Who leaves the type out is understood by the length.
    const auto size = text_of(value).size();
    type = size == 32    ? "md5"
           : size == 40  ? "sha1"
           : size == 64  ? "sha256"
           : size == 128 ? "sha512"
                         : "";
  }
  if (type.empty()) return unknown(name + " '" + std::string(text_of(value)) + "'");
  return field_test(type, value);
}

struct Field {
  std::string_view name;
  std::string_view type;
};
// Wherever they stand: their names are the same in all objects that have them.
constexpr Field fields[] = {
    {"File_Name", "name"},     {"Size_In_Bytes", "size"}, {"Hostname_Value", "domain"},
    {"IP_Address", "address"}, {"From", "email"},         {"Sender", "email"},
    {"Reply_To", "email"},     {"Domain_Name", "domain"}};

std::string_view type_of_field(std::string_view name) {
  for (const auto& field : fields) {
    if (field.name == name) return field.type;
  }
  return {};
}

std::string_view address_type(std::string_view category) {
  if (category == "e-mail") return "email";
  if (category == "mac") return "mac_address";
  if (category == "ipv6-addr" || category == "ipv6-net") return "ipv6";
  if (category == "asn" || category == "atm") return {};
  return "address";
}

/// Value and its like, which mean what their object is.
std::string_view value_type(const pugi::xml_node& object, const pugi::xml_node& field) {
  const auto type = xsi_type(object);
  const auto name = local_name(field);
  if (name == "Address_Value") return address_type(attribute(object, "category"));
  if (name != "Value") return {};
  if (type.starts_with("DomainName")) return "domain";
  if (type.starts_with("URI") || type.starts_with("Link")) {
    return attribute(object, "type") == "Domain Name" ? "domain" : "url";
  }
  return {};
}

stoq::Value registry_key(const pugi::xml_node& properties) {
  const std::string hive(text_of(child(properties, "Hive")));
  const std::string key(text_of(child(properties, "Key")));
  const auto whole = hive.empty() ? key : hive + "\\" + key;
  const auto condition = attribute(child(properties, "Key"), "condition");
  return by_condition("registry_key", condition, {whole}, "Key '" + whole + "'");
}

void read_fields(const pugi::xml_node& properties, Parts& parts, int depth);

void read_field(const pugi::xml_node& properties, const pugi::xml_node& field, Parts& parts,
                int depth) {
  const auto name = local_name(field);
  auto type = type_of_field(name);
  if (type.empty()) type = value_type(properties, field);
  if (name == "Hash") {
    parts.push_back(hash_test(field));
  } else if (name == "Hashes" || name == "Header") {
    read_fields(field, parts, depth + 1);
  } else if (const auto inner = child(field, "Address_Value"); inner && !type.empty()) {
    parts.push_back(field_test(type, inner));
  } else if (!type.empty()) {
    parts.push_back(field_test(type, field));
  } else {
    parts.push_back(unknown(std::string(name) + " '" + std::string(text_of(field)) + "'"));
  }
}

void read_fields(const pugi::xml_node& properties, Parts& parts, int depth) {
  if (depth > 4) return parts.push_back(unknown(local_name(properties)));
  for (const auto& field : properties.children()) {
    if (field.type() == pugi::node_element) read_field(properties, field, parts, depth);
  }
}

}  // namespace

std::string_view local_name(const pugi::xml_node& node) noexcept {
  const std::string_view name = node.name();
  return name.substr(std::min(name.rfind(':') + 1, name.size()));
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  for (const auto& one : node.children()) {
    if (one.type() == pugi::node_element && local_name(one) == name) return one;
  }
  return {};
}

std::string_view attribute(const pugi::xml_node& node, const char* name) {
  return node.attribute(name).value();
}

std::string_view xsi_type(const pugi::xml_node& node) {
  for (const auto& one : node.attributes()) {
    if (!std::string_view(one.name()).ends_with(":type")) continue;
    const std::string_view type = one.value();
    return type.substr(std::min(type.rfind(':') + 1, type.size()));
  }
  return {};
}

std::string_view text_of(const pugi::xml_node& node) { return trimmed(node.text().get()); }

stoq::Value read_properties(const pugi::xml_node& properties) {
  if (xsi_type(properties).starts_with("WindowsRegistryKey")) return registry_key(properties);
  Parts parts;
  read_fields(properties, parts, 0);
  if (parts.empty()) return unknown("an object without properties");
  return joined(Join::all, std::move(parts));
}

}  // namespace stix
