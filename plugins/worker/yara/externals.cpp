#include "externals.hpp"

#include <charconv>

#include <stoq/error.hpp>

namespace {

template <class T>
bool parses(std::string_view text, T& number) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  return failure == std::errc{} && end == text.data() + text.size();
}

External from_text(std::string_view text) {
  std::int64_t whole = 0;
  double fraction = 0;
  if (parses(text, whole)) return whole;
  if (parses(text, fraction)) return fraction;
  if (text == "true") return true;
  if (text == "false") return false;
  return std::string(text);
}

}  // namespace

Externals externals_of(const stoq::Value& dict) {
  Externals externals;
  const auto* const members = dict.get_if<stoq::Value::Object>();
  if (members == nullptr) return externals;
  for (const auto& [name, value] : *members) {
    if (const auto* flag = value.get_if<bool>()) {
      externals[name] = *flag;
    } else if (const auto* whole = value.get_if<std::int64_t>()) {
      externals[name] = *whole;
    } else if (const auto* number = value.get_if<double>()) {
      externals[name] = *number;
    } else if (const auto* text = value.get_if<std::string>()) {
      externals[name] = *text;
    } else {
      throw stoq::ConfigError("yara: externals_dict: '" + name +
                              "' must be text, a number, true or false");
    }
  }
  return externals;
}

void add_externals(Externals& externals, const std::vector<std::string>& assignments) {
  for (const auto& item : assignments) {
    const auto equals = item.find('=');
    if (equals == item.npos || equals == 0) {
      throw stoq::ConfigError("yara: external_list: '" + item + "' is not name=value");
    }
    externals[item.substr(0, equals)] = from_text(std::string_view(item).substr(equals + 1));
  }
}
