#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <stoq/error.hpp>

#include "support/json.hpp"

namespace stoq::support {
namespace {

/// Builds a Value from what rapidjson reads. Containers not yet closed stand on a stack.
class Builder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Builder> {
 public:
  bool Null() { return put({}); }
  bool Bool(bool flag) { return put(flag); }
  bool Int(int number) { return put(number); }
  bool Uint(unsigned number) { return put(number); }
  bool Int64(std::int64_t number) { return put(number); }
  bool Uint64(std::uint64_t number) {
    return number <= INT64_MAX ? put(number) : put(static_cast<double>(number));
  }
  bool Double(double number) { return put(number); }
  bool String(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    return put(std::string(text, size));
  }
  bool Key(const char* text, rapidjson::SizeType size, bool /*copy*/) {
    open_.back().key.assign(text, size);
    return true;
  }
  bool StartObject() { return open(true); }
  bool StartArray() { return open(false); }
  bool EndObject(rapidjson::SizeType /*count*/) { return close(); }
  bool EndArray(rapidjson::SizeType /*count*/) { return close(); }

  [[nodiscard]] Value take() { return std::move(result_); }

 private:
  struct Open {
    bool object = false;
    Value members = Value::Object{};
    Value::Array items;
    std::string key;
  };

  bool open(bool object) {
    if (open_.size() == most_json_depth) return false;
    open_.push_back({.object = object, .items = {}, .key = {}});
    return true;
  }
  bool close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    return done.object ? put(std::move(done.members)) : put(std::move(done.items));
  }
  bool put(Value value) {
    if (open_.empty()) {
      result_ = std::move(value);
    } else if (open_.back().object) {
      open_.back().members.set(open_.back().key, std::move(value));  // as Python: the last counts
    } else {
      open_.back().items.push_back(std::move(value));
    }
    return true;
  }

  std::vector<Open> open_;
  Value result_;
};

}  // namespace

Value parse_json(std::string_view text) {
  // A NUL would end rapidjson's stream early, and hide what follows it.
  if (text.find('\0') != text.npos) throw MalformedInput("JSON has no NUL characters");
  const std::string ended(text);
  rapidjson::StringStream stream(ended.c_str());
  rapidjson::Reader reader;
  Builder builder;
  constexpr auto flags = rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag |
                         rapidjson::kParseValidateEncodingFlag;
  const auto result = reader.Parse<flags>(stream, builder);
  if (result.Code() == rapidjson::kParseErrorTermination) {
    throw MalformedInput("it is nested too deep");
  }
  if (result.IsError()) {
    throw MalformedInput(std::string(rapidjson::GetParseError_En(result.Code())) +
                         " (at character " + std::to_string(result.Offset()) + ")");
  }
  return builder.take();
}

}  // namespace stoq::support
