#include "selective_magic.hpp"

#include <algorithm>
#include <iterator>

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

/// Formats that libmagic knows by code, and that need all of it: rules refine one, the other has no
/// flag that leaves it out.
bool needs_all(std::string_view bytes) noexcept {
  return bytes.starts_with("\xd0\xcf\x11\xe0"sv) || may_be_tape(bytes);
}

constexpr int by_rules = MAGIC_NO_CHECK_SOFT | MAGIC_NO_CHECK_TEXT;
constexpr int by_code =
    MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_JSON | MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_CDF;

/// Whether RuleMatch was written after this libmagic. Of others too it knows which rules fail.
bool is_known_release() noexcept { return ::magic_version() == 544; }

}  // namespace

std::string_view SelectiveMagic::Payload::default_type() const noexcept {
  return is_text ? "text/plain"sv : "application/octet-stream"sv;
}

std::optional<std::string_view> SelectiveMagic::type(stoq::ByteView bytes) {
  const auto [look, text] = decode(bytes, encoding_window, decoded_);
  const Payload payload{bytes, look == Look::text, text};
  if (look == Look::unsure || needs_all(payload.chars())) return std::nullopt;
  if (const auto known = type_by_code(payload)) return known;

  select(payload);
  auto said = first_match(payload, binary_rules_, for_binary(payload));
  if (said.kind == Verdict::Kind::type) return said.type;
  if (said.kind == Verdict::Kind::unsure) return ask_together(payload);
  said = first_match(payload, text_rules_, for_text(payload));
  if (said.kind == Verdict::Kind::type) return said.type;
  if (said.kind == Verdict::Kind::unsure) return ask_together(payload);
  return payload.default_type();
}

std::optional<std::string_view> SelectiveMagic::type_by_code(const Payload& payload) {
  const auto chars = payload.chars();
  const bool is_csv = payload.is_text && may_be_csv(chars);  // which it looks for in text only
  if (!is_csv && !may_be_tar(chars) && !may_be_json(chars)) return std::nullopt;
  auto* const loaded = load({});
  if (loaded == nullptr) return std::nullopt;
  const char* type =
      loaded->libmagic.type(payload.bytes, by_rules | MAGIC_NO_CHECK_CDF |
                                               (is_csv ? MAGIC_NONE : MAGIC_NO_CHECK_ENCODING));
  if (type == nullptr || type == "application/octet-stream"sv) return std::nullopt;  // none of them
  return type;
}

Subject SelectiveMagic::for_binary(const Payload& payload) const noexcept {
  return {payload.chars(), payload.is_text, payload.is_its_text() ? &seen_.first : nullptr};
}

Subject SelectiveMagic::for_text(const Payload& payload) const noexcept {
  return {payload.text, payload.is_text, &seen_.first};
}

void SelectiveMagic::select(const Payload& payload) {
  const auto& index = magic_->index;
  text_rules_.clear();
  if (payload.is_text) {
    index.look(payload.text, seen_);
    index.select(MagicIndex::Mode::text, payload.text, &seen_, text_rules_);
  }
  index.select(MagicIndex::Mode::binary, payload.chars(), payload.is_its_text() ? &seen_ : nullptr,
               binary_rules_);
}

Verdict SelectiveMagic::first_match(const Payload& payload, const Rules& rules,
                                    const Subject& subject) {
  for (const auto rule : rules) {
    auto said = match_(rule, subject);
    const bool is_sure = said.kind == Verdict::Kind::none || is_known_release();
    if (!is_sure || said.kind == Verdict::Kind::unsure) said = confirm(payload, rule);
    if (said.kind != Verdict::Kind::none) return said;
  }
  return {};
}

Verdict SelectiveMagic::confirm(const Payload& payload, std::uint32_t rule) {
  const auto& [first_line, lines, uses_named, looks_again, is_for_both, is_clear] =
      magic_->index.rule(rule);
  const auto type = is_for_both ? std::nullopt : ask(payload, {rule});
  if (type && *type != payload.default_type()) return {Verdict::Kind::type, *type};
  // Where it says nothing of its own, it may still have ended the search.
  return {type && is_clear ? Verdict::Kind::none : Verdict::Kind::unsure, {}};
}

std::optional<std::string_view> SelectiveMagic::ask_together(const Payload& payload) {
  // A rule that matches without a word may still end what another began.
  Rules rules;
  const auto add = [&](const Rules& from, const Subject& subject) {
    std::copy_if(from.begin(), from.end(), std::back_inserter(rules),
                 [&](std::uint32_t rule) { return match_.may_begin(rule, subject); });
  };
  add(binary_rules_, for_binary(payload));
  add(text_rules_, for_text(payload));
  std::sort(rules.begin(), rules.end());
  rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
  return ask(payload, rules);
}

std::optional<std::string_view> SelectiveMagic::ask(const Payload& payload, const Rules& rules) {
  auto* const loaded = load(rules);
  if (loaded == nullptr) return std::nullopt;
  constexpr int for_text = MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_TEXT;
  const char* type =
      loaded->libmagic.type(payload.bytes, payload.is_text ? by_code : by_code | for_text);
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
