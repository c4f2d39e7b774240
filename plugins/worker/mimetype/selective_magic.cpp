#include "selective_magic.hpp"

#include <algorithm>

using namespace std::string_view_literals;

namespace {

constexpr std::string_view spaces = " \t\n\v\f\r";

std::uint8_t byte(char c) noexcept { return static_cast<std::uint8_t>(c); }

/// Whether the place of a tar header's checksum has the beginning of a number.
bool may_be_tar(std::string_view bytes) noexcept {
  if (bytes.size() < 512) return false;
  const auto field = bytes.substr(148, 8);
  const auto first = field.find_first_not_of(spaces);
  return first != field.npos && field[first] >= '0' && field[first] <= '7';
}

/// libmagic takes a text for JSON when it is an array or an object as a whole.
bool may_be_json(std::string_view bytes) noexcept {
  const auto first = bytes.find_first_not_of(" \t\n\r");
  if (first == bytes.npos || (bytes[first] != '[' && bytes[first] != '{')) return false;
  const auto last = bytes.find_last_not_of(" \t\n\r");
  return bytes[last] == ']' || bytes[last] == '}';
}

/// Commas outside of quotes to the end of the line, whose end `at` is moved behind.
std::size_t count_commas(std::string_view text, std::size_t& at) noexcept {
  std::size_t commas = 0;
  while (at < text.size()) {
    const char c = text[at++];
    if (c == '\n') break;
    if (c == ',') ++commas;
    if (c != '"') continue;
    for (bool closed = false; at < text.size(); ++at) {
      if (text[at] == '"') {
        closed = !closed;  // twice in a row: a quote inside of quotes
      } else if (closed) {
        break;
      }
    }
  }
  return commas;
}

/// libmagic takes a text for CSV when its first ten lines have as many commas each.
bool may_be_csv(std::string_view text) noexcept {
  std::size_t at = 0;
  const auto first = count_commas(text, at);
  return first != 0 && at < text.size() && count_commas(text, at) == first;
}

/// A tape of SIMH: after tape marks (of zeros) a record between two equal lengths.
bool may_be_tape(std::string_view bytes) noexcept {
  const auto length_at = [&](std::size_t at) {
    const auto l = static_cast<std::uint32_t>(byte(bytes[at]) | byte(bytes[at + 1]) << 8 |
                                              byte(bytes[at + 2]) << 16);
    return std::size_t{l} + (l & 1);
  };
  std::size_t at = 0;
  for (; at + 4 <= bytes.size() && length_at(at) == 0; at += 4) {
  }
  if (at + 8 > bytes.size()) return false;
  const auto length = length_at(at);
  return length <= bytes.size() - at - 8 && length_at(at + 4 + length) == length;
}

/// Whether one of the formats that libmagic knows by code, not by rules, is possible.
bool needs_code(std::string_view bytes, bool is_text) noexcept {
  return bytes.starts_with("\xd0\xcf\x11\xe0"sv) || may_be_tar(bytes) || may_be_json(bytes) ||
         (is_text && may_be_csv(bytes)) || may_be_tape(bytes);
}

}  // namespace

std::optional<std::string_view> SelectiveMagic::type(stoq::ByteView bytes) {
  const auto [look, text] = decode(bytes, encoding_window, decoded_);
  const bool is_text = look == Look::text;
  const auto chars = stoq::as_chars(bytes);
  if (look == Look::unsure || needs_code(chars, is_text)) return std::nullopt;

  rules_.clear();
  const auto& index = magic_->index;
  index.select_binary(chars, is_text, rules_);
  if (is_text) index.select_text(text, scratch_, rules_);
  const auto otherwise = is_text ? "text/plain"sv : "application/octet-stream"sv;
  // The first rule that matches decides. Asked one by one, few sets of rules are needed.
  for (const auto number : rules_) {
    const auto& rule = index.rule(number);
    const std::optional<std::string_view> type =
        rule.is_for_both ? otherwise : ask(bytes, is_text, {number});
    if (!type || *type != otherwise) return type;
    if (!rule.is_clear) {  // it may have ended the search, without a type
      std::sort(rules_.begin(), rules_.end());
      rules_.erase(std::unique(rules_.begin(), rules_.end()), rules_.end());
      return ask(bytes, is_text, rules_);
    }
  }
  return otherwise;
}

std::optional<std::string_view> SelectiveMagic::ask(stoq::ByteView bytes, bool is_text,
                                                    const Rules& rules) {
  auto* const loaded = load(rules);
  if (loaded == nullptr) return std::nullopt;
  constexpr int by_code =
      MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_JSON | MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_CDF;
  constexpr int for_text = MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_TEXT;
  const char* type = loaded->libmagic.type(bytes, is_text ? by_code : by_code | for_text);
  if (type == nullptr) return std::nullopt;
  return type;
}

SelectiveMagic::Loaded* SelectiveMagic::load(const Rules& rules) {
  constexpr std::size_t most_kept = 256;
  if (const auto known = loaded_.find(rules); known != loaded_.end()) return known->second.get();
  const auto& [file, index] = *magic_;
  std::size_t lines = 0;
  bool uses_named = false;
  for (const auto number : rules) {
    const auto& rule = index.rule(number);
    if (rule.looks_again) return nullptr;
    lines += rule.lines;
    uses_named |= rule.uses_named;
  }
  auto loaded = std::make_unique<Loaded>(Loaded{file->head(lines), Libmagic(window_)});
  auto& database = loaded->database;
  for (const auto number : rules) {
    const auto& rule = index.rule(number);
    const auto of_rule = file->lines(rule.first_line, rule.lines);
    database.insert(database.end(), of_rule.begin(), of_rule.end());
  }
  const bool is_loaded = uses_named ? loaded->libmagic.load({database, file->named()})
                                    : loaded->libmagic.load({std::span<const std::byte>(database)});
  if (!is_loaded) return nullptr;
  if (loaded_.size() >= most_kept) loaded_.clear();
  return loaded_.emplace(rules, std::move(loaded)).first->second.get();
}
