#include "bundle.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <stoq/error.hpp>

#include "collection.hpp"
#include "expression.hpp"
#include "lexer.hpp"
#include "object_path.hpp"
#include "pattern.hpp"

namespace stix {
namespace {

using Json = rapidjson::Value;

/// The member as text; empty when there is none.
std::string_view text(const Json& object, const char* key) {
  const auto found = object.FindMember(key);
  if (found == object.MemberEnd() || !found->value.IsString()) return {};
  return {found->value.GetString(), found->value.GetStringLength()};
}

bool is_true(const Json& object, const char* key) {
  const auto found = object.FindMember(key);
  return found != object.MemberEnd() && found->value.IsTrue();
}

const Json* list(const Json& object, const char* key) {
  const auto found = object.FindMember(key);
  return found == object.MemberEnd() || !found->value.IsArray() ? nullptr : &found->value;
}

void add_indicator(const Json& object, Collection& collection) {
  About about{std::string(text(object, "id")), std::string(text(object, "name")),
              std::string(text(object, "valid_until"))};
  if (is_true(object, "revoked")) return collection.revoked();
  const auto type = text(object, "pattern_type");
  const auto pattern = text(object, "pattern");
  if (pattern.empty()) return collection.note(about.id, "it has no pattern");
  if (type == "yara") return collection.add_yara(about, pattern);
  if (!type.empty() && type != "stix") {
    return collection.note(about.id, "pattern_type " + std::string(type) + " is not evaluated");
  }
  try {
    collection.add(about, read_pattern(pattern));
  } catch (const PatternError& error) {
    collection.note(about.id, std::string("its pattern cannot be read: ") + error.what());
  }
}

void add_test(std::vector<stoq::Value>& parts, std::string_view object, std::string_view step,
              std::string_view value) {
  const auto type = type_of({std::string(object), {std::string(step)}});
  if (type.empty() || value.empty()) return;
  parts.push_back(
      test(type, Test::in, {std::string(value)},
           std::string(object) + ":" + std::string(step) + " = '" + std::string(value) + "'"));
}

/// A cyber-observable object: what is known of it, all of which must hold. A digest says more than
/// a name: a file that has one goes by its digests.
void add_observable(const Json& object, std::string_view id, Collection& collection) {
  const auto type = text(object, "type");
  std::vector<stoq::Value> parts;
  if (const auto hashes = object.FindMember("hashes"); hashes != object.MemberEnd() &&
                                                       hashes->value.IsObject() &&
                                                       (type == "file" || type == "artifact")) {
    for (const auto& [name, value] : hashes->value.GetObject()) {
      const auto digest = digest_type({name.GetString(), name.GetStringLength()});
      if (digest.empty() || !value.IsString()) continue;
      parts.push_back(test(digest, Test::in, {value.GetString()}, value.GetString()));
    }
  }
  if (parts.empty()) {
    for (const auto* const step : {"name", "value", "key"}) {
      add_test(parts, type, step, text(object, step));
    }
  }
  if (!parts.empty()) collection.add_observable(id, joined(Join::all, std::move(parts)));
}

/// Objects of STIX 2.0's observed-data stand within it, by number.
void add_observed(const Json& object, Collection& collection) {
  const auto found = object.FindMember("objects");
  if (found == object.MemberEnd() || !found->value.IsObject()) return;
  const std::string id(text(object, "id"));
  for (const auto& [number, inner] : found->value.GetObject()) {
    if (inner.IsObject()) add_observable(inner, id + "/" + number.GetString(), collection);
  }
}

void add_object(const Json& object, Collection& collection) {
  if (!object.IsObject()) return collection.note("", "an object of the list is none");
  const auto type = text(object, "type");
  if (type == "indicator") {
    add_indicator(object, collection);
  } else if (type == "observed-data") {
    add_observed(object, collection);
  } else {
    add_observable(object, text(object, "id"), collection);
  }
}

/// Whether it looks like an object of STIX.
bool is_object(const Json& json) {
  if (!json.IsObject() || text(json, "type").empty()) return false;
  const auto id = text(json, "id");
  return id.find("--") != id.npos;
}

}  // namespace

stoq::Value read_bundle(std::string_view json) {
  rapidjson::Document document;
  // Iterative: nesting costs memory that grows with the file, no stack.
  constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  document.Parse<flags>(json.data(), json.size());
  if (document.HasParseError()) {
    throw stoq::MalformedInput(std::string("stix: ") +
                               rapidjson::GetParseError_En(document.GetParseError()) + " (offset " +
                               std::to_string(document.GetErrorOffset()) + ")");
  }
  Collection collection;
  std::string_view id;
  const Json* objects = document.IsArray() ? &document : nullptr;
  if (document.IsObject()) {
    id = text(document, "id");
    objects = list(document, "objects");
  }
  const bool is_list =
      objects != nullptr &&
      (objects->Empty() ? text(document, "type") == "bundle"
                        : std::any_of(objects->Begin(), objects->End(), is_object));
  if (is_list) {
    for (const auto& object : objects->GetArray()) add_object(object, collection);
  } else if (document.IsObject() && is_object(document)) {
    add_object(document, collection);
  } else {
    return {};
  }
  return collection.take("stix2", id);
}

}  // namespace stix
