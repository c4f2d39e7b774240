#include "collection.hpp"

#include <utility>

#include "expression.hpp"

namespace stix {
namespace {

/// Notes every unknown part. Whether there is any other.
bool note_unknown(const stoq::Value& part, std::string_view id, Collection& collection) {
  if (is_unknown(part)) {
    collection.note(id, "not of a payload: " + std::string(part.text("unknown")));
    return false;
  }
  const auto* const parts = part["of"].get_if<stoq::Value::Array>();
  if (parts == nullptr) return true;
  bool any = false;
  for (const auto& inner : *parts) any = note_unknown(inner, id, collection) || any;
  return any;
}

stoq::Value described(const About& about) {
  stoq::Value value{{"id", about.id}};
  if (!about.name.empty()) value.add("name", about.name);
  if (!about.valid_until.empty()) value.add("valid_until", about.valid_until);
  return value;
}

}  // namespace

void Collection::add(const About& about, stoq::Value expression) {
  if (!note_unknown(expression, about.id, *this)) return;
  auto indicator = described(about);
  indicator.add("expression", std::move(expression));
  indicators_.push_back(std::move(indicator));
}

void Collection::add_yara(const About& about, std::string_view rules) {
  auto indicator = described(about);
  indicator.add("yara", rules);
  indicators_.push_back(std::move(indicator));
}

void Collection::add_observable(std::string_view id, stoq::Value expression) {
  observables_.push_back({{"id", id}, {"expression", std::move(expression)}});
}

void Collection::note(std::string_view id, std::string_view reason) {
  notes_.push_back({{"id", id}, {"reason", reason}});
}

stoq::Value Collection::take(std::string_view format, std::string_view id) {
  stoq::Value value{{"format", format}};
  if (!id.empty()) value.add("id", id);
  value.add("indicators", std::move(indicators_));
  value.add("observables", std::move(observables_));
  value.add("not_understood", std::move(notes_));
  value.add("revoked", revoked_);
  return value;
}

}  // namespace stix
