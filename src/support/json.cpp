#include "support/json.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace stoq::support {
namespace {

/// What a byte needs inside a JSON string.
enum class Kind : std::uint8_t { plain, escape, wide };

constexpr auto kinds = [] {
  std::array<Kind, 256> table{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    table[byte] = byte >= 0x80                                                 ? Kind::wide
                  : byte < 0x20 || byte == '"' || byte == '\\' || byte == 0x7f ? Kind::escape
                                                                               : Kind::plain;
  }
  return table;
}();

std::uint8_t at(std::string_view text, std::size_t i) { return static_cast<std::uint8_t>(text[i]); }

/// Whether any of eight bytes is one that cannot be copied as it is (it may say yes for a byte
/// above such a one, never no).
bool needs_care(std::uint64_t word) {
  constexpr std::uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
  const auto zero_in = [](std::uint64_t x) { return (x - ones) & ~x & highs; };
  const auto below_space = (word - ones * 0x20) & ~word;
  return ((word | below_space | zero_in(word ^ (ones * '"')) | zero_in(word ^ (ones * '\\')) |
           zero_in(word ^ (ones * 0x7f))) &
          highs) != 0;
}

/// How many bytes from `from` can be copied as they are.
std::size_t plain_run(std::string_view text, std::size_t from) {
  auto i = from;
  while (text.size() - i >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    if (needs_care(word)) break;
    i += sizeof word;
  }
  while (i < text.size() && kinds[at(text, i)] == Kind::plain) ++i;
  return i - from;
}

/// How many bytes from `from` are ASCII.
std::size_t ascii_run(std::string_view text, std::size_t from) {
  constexpr std::uint64_t highs = 0x8080808080808080;
  auto i = from;
  for (; text.size() - i >= sizeof(std::uint64_t); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, sizeof word);
    if ((word & highs) != 0) break;
  }
  while (i < text.size() && at(text, i) < 0x80) ++i;
  return i - from;
}

struct Sequence {
  std::size_t length;  ///< bytes of the sequence, or of the maximal ill-formed part
  bool well_formed;
};

/// The UTF-8 sequence at `from`, which is no ASCII byte: Unicode 15, table 3-7. Only the second
/// byte has bounds of its own.
Sequence sequence_at(std::string_view text, std::size_t from) {
  const auto lead = at(text, from);
  if (lead < 0xc2 || lead > 0xf4) return {1, false};
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  for (std::size_t i = 1; i < length; ++i) {
    if (from + i >= text.size() || at(text, from + i) < low || at(text, from + i) > high) {
      return {i, false};
    }
    low = 0x80;
    high = 0xbf;
  }
  return {length, true};
}

void append_escape(std::string& out, std::uint8_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (byte) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += digits[byte >> 4U];
      out += digits[byte & 15U];
  }
}

template <class Number>
void append_chars(std::string& out, Number number) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), result.ptr);
}

/// Writes the value; false when it is "empty": null, or an object or array without anything in it.
bool append_value(std::string& out, const Value& value);

bool append_members(std::string& out, const Value::Object& members) {
  bool any = false;
  out += '{';
  for (const auto& [name, value] : members) {
    const auto before = out.size();
    if (any) out += ',';
    append_json_string(out, name);
    out += ':';
    if (append_value(out, value)) {
      any = true;
    } else {
      out.resize(before);
    }
  }
  out += '}';
  return any;
}

/// Items keep their places: an empty one is written.
bool append_items(std::string& out, const Value::Array& items) {
  out += '[';
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ',';
    append_value(out, items[i]);
  }
  out += ']';
  return !items.empty();
}

struct ValueWriter {
  std::string& out;
  bool operator()(std::monostate) const { return out += "null", false; }
  bool operator()(bool flag) const { return out += flag ? "true" : "false", true; }
  bool operator()(std::int64_t number) const { return append_json_number(out, number), true; }
  bool operator()(double number) const { return append_json_number(out, number), true; }
  bool operator()(const std::string& text) const { return append_json_string(out, text), true; }
  bool operator()(const Value::Array& items) const { return append_items(out, items); }
  bool operator()(const Value::Object& members) const { return append_members(out, members); }
};

bool append_value(std::string& out, const Value& value) { return value.visit(ValueWriter{out}); }

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const auto run = plain_run(text, i);
    out.append(text, i, run);
    i += run;
    if (i == text.size()) break;
    if (kinds[at(text, i)] == Kind::escape) {
      append_escape(out, at(text, i++));
      continue;
    }
    const auto [length, well_formed] = sequence_at(text, i);
    const auto sequence = text.substr(i, length);
    if (!well_formed) {
      out += "\xef\xbf\xbd";
    } else if (sequence == "\u2028" || sequence == "\u2029") {
      // Line ends to JavaScript and to some line readers.
      out += sequence == "\u2028" ? "\\u2028" : "\\u2029";
    } else {
      out += sequence;
    }
    i += length;
  }
  out += '"';
}

void append_json_number(std::string& out, double number) {
  if (std::isfinite(number)) {
    append_chars(out, number);
  } else {
    out += "null";
  }
}

void append_json_number(std::string& out, std::int64_t number) { append_chars(out, number); }

void append_json_number(std::string& out, std::uint64_t number) { append_chars(out, number); }

void append_json(std::string& out, const Value& value) { append_value(out, value); }

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t i = 0; i < text.size();) {
    if (at(text, i) < 0x80) {
      i += ascii_run(text, i);
      continue;
    }
    const auto [length, well_formed] = sequence_at(text, i);
    if (!well_formed) return false;
    i += length;
  }
  return true;
}

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto count = bytes.size() - i;
    const auto group = static_cast<std::uint32_t>(at(bytes, i)) << 16U |
                       static_cast<std::uint32_t>(count > 1 ? at(bytes, i + 1) : 0) << 8U |
                       static_cast<std::uint32_t>(count > 2 ? at(bytes, i + 2) : 0);
    out += digits[group >> 18U];
    out += digits[group >> 12U & 63U];
    out += count > 1 ? digits[group >> 6U & 63U] : '=';
    out += count > 2 ? digits[group & 63U] : '=';
  }
}

}  // namespace stoq::support
