#include "magic_index.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "magic_test.hpp"

namespace {

constexpr std::uint32_t loosening = MagicLine::lower_matches_upper |
                                    MagicLine::upper_matches_lower | MagicLine::compact_space |
                                    MagicLine::optional_space | MagicLine::whole_word;

/// The longest part of a search's pattern that stands in a text as it is, but for the case of
/// letters.
std::string_view fixed_part(const MagicLine& line) noexcept {
  std::string_view pattern = line.pattern;
  if (!line.has_modifier(MagicLine::compact_space | MagicLine::optional_space)) return pattern;
  constexpr std::string_view spaces = " \t\n\v\f\r";
  std::string_view longest;
  for (std::size_t at = 0; at < pattern.size();) {
    const auto end = std::min(pattern.find_first_of(spaces, at), pattern.size());
    if (end - at > longest.size()) longest = pattern.substr(at, end - at);
    at = end + 1;
  }
  return longest;
}

bool is_fixed(const MagicLine& line) noexcept {
  return line.is_place_known && line.pointer.width == 0 && line.offset >= 0;
}

/// At how many places in a row a line looks for its pattern; 0 for many.
std::uint32_t places_of(const MagicLine& line) noexcept {
  if (line.test != MagicLine::Test::search) return 1;
  constexpr std::uint32_t many = 4;
  const auto places = line.modifiers == 0 ? line.range + 1 : line.range;
  return line.range == 0 || places > many ? 0 : places;
}

FirstBytes::Set first_bytes_of_string(const MagicLine& line) noexcept {
  FirstBytes::Set bytes;
  const char c = line.pattern[0];
  const bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  if (is_space && line.has_modifier(MagicLine::compact_space | MagicLine::optional_space)) {
    return bytes.set();
  }
  const auto byte = static_cast<std::uint8_t>(c);
  bytes.set(byte);
  if (is_letter && line.has_modifier(loosening)) bytes.set(byte ^ 0x20U);
  return bytes;
}

/// The bytes that a payload can have where the line looks; nothing where that says little.
std::optional<FirstBytes::Set> first_bytes(const MagicLine& line) noexcept {
  FirstBytes::Set bytes;
  if (!is_fixed(line) || line.relation != '=') return std::nullopt;
  switch (line.test) {
    case MagicLine::Test::der:
      bytes.set('0');
      return line.offset == 0 ? std::optional(bytes) : std::nullopt;
    case MagicLine::Test::guid:
      bytes.set(static_cast<std::uint8_t>(line.pattern[0]));
      return bytes;
    case MagicLine::Test::string:
    case MagicLine::Test::search:
      if (line.pattern.empty() || places_of(line) == 0) return std::nullopt;
      return first_bytes_of_string(line);
    case MagicLine::Test::number: {
      // What lies outside counts as zero in the widest numbers.
      if (line.mask_operation != 0 || (line.width == 8 && line.number == 0)) return std::nullopt;
      const auto shift = line.big_endian ? 8U * (line.width - 1U) : 0U;
      const auto mask = line.mask == 0 ? std::numeric_limits<std::uint64_t>::max() : line.mask;
      for (unsigned byte = 0; byte < 256; ++byte) {
        if ((byte & (mask >> shift) & 0xff) == ((line.number >> shift) & 0xff)) bytes.set(byte);
      }
      return bytes;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

MagicIndex::MagicIndex(const MagicFile& file) {
  lines_.reserve(file.size());  // the filter keeps pointers to them
  for (std::size_t first = 0; first < file.size();) {
    auto end = first + 1;
    while (end < file.size() && file.entry(end).level != 0) ++end;
    add_rule(file, first, end);
    first = end;
  }
  filter_.build(literals_);
  literals_.build();
  for (auto& rules : by_mode_) rules.first_bytes.build();
}

void MagicIndex::add_rule(const MagicFile& file, std::size_t first, std::size_t end) {
  Rule rule{static_cast<std::uint32_t>(first),
            static_cast<std::uint32_t>(end - first),
            false,
            false,
            false,
            true};
  for (auto i = first; i < end; ++i) {
    const auto entry = file.entry(i);
    const bool is_use = entry.type == magic_type::use;
    const bool looks_again = entry.type == magic_type::indirect;
    const bool is_plain =
        entry.tells && (entry.mime_type.empty() || entry.mime_type == "text/plain" ||
                        entry.mime_type == "application/octet-stream");
    rule.uses_named |= is_use;
    rule.looks_again |= looks_again;
    rule.is_clear &= !is_plain && !is_use && !looks_again;
    auto& line = lines_.emplace_back(entry);
    if (line.test == MagicLine::Test::expression) {
      constexpr std::uint32_t any_case =
          MagicLine::lower_matches_upper | MagicLine::upper_matches_lower;
      line.expression =
          static_cast<std::uint32_t>(expressions_.add(line.pattern, line.has_modifier(any_case)));
    }
    auto below = i + 1;
    while (below < end && file.entry(below).level > entry.level) ++below;
    line.end = static_cast<std::uint32_t>(below);
  }
  const auto flags = file.entry(first).flags;
  constexpr unsigned both = MagicEntry::for_text | MagicEntry::for_binary;
  rule.is_for_both = (flags & both) == both;
  rule.is_clear &= !rule.is_for_both;
  const auto number = static_cast<std::uint32_t>(rules_.size());
  rules_.push_back(rule);
  if (lines_[first].test == MagicLine::Test::never) return;
  if ((flags & MagicEntry::for_binary) != 0) add_key(Mode::binary, number);
  if ((flags & MagicEntry::for_text) != 0) add_key(Mode::text, number);
}

void MagicIndex::add_key(Mode mode, std::uint32_t number) {
  auto& to = by_mode_[static_cast<std::size_t>(mode)];
  auto& line = lines_[rules_[number].first_line];
  if (const auto bytes = first_bytes(line)) {
    const auto places = places_of(line);
    for (std::uint32_t i = 0; i < places; ++i) {
      to.first_bytes.add(number, static_cast<std::uint32_t>(line.offset) + i, *bytes);
    }
    return;
  }
  const bool is_sought = is_fixed(line) && line.relation == '=';
  const auto part = line.test == MagicLine::Test::search ? fixed_part(line) : std::string_view{};
  if (is_sought && !part.empty()) {
    const auto literal = static_cast<std::uint32_t>(literals_.add(part));
    const bool begins = line.pattern.starts_with(part);
    if (begins) line.literal = literal;
    const auto last = static_cast<std::uint64_t>(line.offset) + line.range;
    to.literals.push_back(
        {number, literal,
         begins && line.range != 0 ? last : std::numeric_limits<std::uint64_t>::max()});
    return;
  }
  const bool is_in_text = mode == Mode::text || !line.only_binary;
  if (is_sought && line.test == MagicLine::Test::expression && is_in_text) {
    if (const auto key = filter_.add(line)) {
      to.expressions.push_back({number, *key, 0});
      return;
    }
  }
  to.others.push_back(number);
}

void MagicIndex::look(std::string_view text, Seen& seen) const {
  literals_.find(text, seen.first);
  filter_.find(text, seen.first, seen.expressions);
}

void MagicIndex::select(Mode mode, std::string_view bytes, const Seen* seen,
                        std::vector<std::uint32_t>& to) const {
  const auto& rules = by_mode_[static_cast<std::size_t>(mode)];
  to = rules.others;
  rules.first_bytes.select(bytes, to);
  for (const auto& [rule, literal, last] : rules.literals) {
    const bool may_match = seen == nullptr || (seen->first[literal] != Literals::nowhere &&
                                               seen->first[literal] <= last);
    if (may_match) to.push_back(rule);
  }
  for (const auto& [rule, expression, unused] : rules.expressions) {
    if (seen == nullptr || seen->expressions.may_match[expression]) to.push_back(rule);
  }
  std::sort(to.begin(), to.end());
  to.erase(std::unique(to.begin(), to.end()), to.end());
}
