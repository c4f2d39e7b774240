/// Writes JSON straight into a string that is reused: no tree, no allocation of its own. Reads it
/// as a Value.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <stoq/value.hpp>

namespace stoq::support {

inline constexpr unsigned most_json_depth = 100;

/// Appends `text` as a JSON string, quotes included: control characters, quote and backslash
/// escaped, each maximal ill-formed part of UTF-8 replaced by U+FFFD (Unicode 15, 3.9), U+2028/9
/// and DEL escaped. Any bytes in, valid JSON out.
void append_json_string(std::string& out, std::string_view text);
/// Appends shortest round-trip text of a double; null for NaN and infinities.
void append_json_number(std::string& out, double number);
void append_json_number(std::string& out, std::int64_t number);
void append_json_number(std::string& out, std::uint64_t number);
/// Appends the value on one line. Members that are null, and members that are objects or arrays
/// with nothing in them, are left out ("empty means absent"); items of arrays keep their places.
void append_json(std::string& out, const Value& value);
/// Reads one JSON value (RFC 8259), up to `most_json_depth` levels. Whole numbers that 64 bits do
/// not hold become doubles. Throws MalformedInput, saying where.
[[nodiscard]] Value parse_json(std::string_view text);
/// Whether `text` is well-formed UTF-8.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
/// RFC 4648 base64 with padding.
void append_base64(std::string& out, std::string_view bytes);

/// Writes objects member by member: keeps track of commas. Keys must need no escaping.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  JsonObject(const JsonObject&) = delete;
  JsonObject& operator=(const JsonObject&) = delete;
  ~JsonObject() { out_ += '}'; }

  /// Writes `"key":` and gives back the string to append the value to.
  std::string& key(std::string_view name) {
    std::array<char, 32> piece;  // written in one go: a line has a dozen keys
    if (name.size() > piece.size() - 4) {
      ((out_ += first_ ? "\"" : ",\"") += name) += "\":";
    } else {
      auto* end = piece.data();
      if (!first_) *end++ = ',';
      *end++ = '"';
      end = std::copy(name.begin(), name.end(), end);
      *end++ = '"';
      *end++ = ':';
      out_.append(piece.data(), end);
    }
    first_ = false;
    return out_;
  }
  void text(std::string_view name, std::string_view value) { append_json_string(key(name), value); }
  void number(std::string_view name, std::uint64_t value) { append_json_number(key(name), value); }
  void flag(std::string_view name, bool value) { key(name) += value ? "true" : "false"; }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace stoq::support
