#include "externals.hpp"

#include <charconv>

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

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

Externals externals_from_json(const std::string& json) {
  Externals externals;
  if (json.empty()) return externals;
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.c_str());
  if (document.HasParseError()) {
    throw stoq::ConfigError("yara: externals_dict is no JSON: " +
                            std::string(rapidjson::GetParseError_En(document.GetParseError())) +
                            " (at character " + std::to_string(document.GetErrorOffset()) +
                            "); expected {\"name\": value, …}");
  }
  if (!document.IsObject()) {
    throw stoq::ConfigError("yara: externals_dict must be an object: {\"name\": value, …}");
  }
  for (const auto& member : document.GetObject()) {
    const std::string name = member.name.GetString();
    const auto& value = member.value;
    if (value.IsBool()) {
      externals[name] = value.GetBool();
    } else if (value.IsInt64()) {
      externals[name] = std::int64_t{value.GetInt64()};
    } else if (value.IsNumber()) {
      externals[name] = value.GetDouble();
    } else if (value.IsString()) {
      externals[name] = std::string(value.GetString());
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
