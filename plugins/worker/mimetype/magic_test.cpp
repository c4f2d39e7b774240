#include "magic_test.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "literals.hpp"

namespace {

constexpr std::size_t string_window = 128;       // what libmagic copies of a payload for a string
constexpr std::size_t expression_window = 8192;  // its own bound
constexpr std::size_t line_length = 80;          // what it takes a line for

/// By the C locale.
bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_lower(char c) noexcept { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }
char to_lower(char c) noexcept { return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c; }
char to_upper(char c) noexcept { return is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c; }

bool is_inside(std::string_view bytes, std::size_t offset, std::size_t count) noexcept {
  return offset <= bytes.size() && count <= bytes.size() - offset;
}

Outcome no() noexcept { return {Answer::no, std::nullopt}; }
Outcome unsure() noexcept { return {}; }
Outcome answer(bool passes, std::size_t end) noexcept {
  if (!passes) return no();
  return {Answer::yes, static_cast<std::int32_t>(end)};
}

/// What is not in the payload is unequal to all, and fails otherwise.
Outcome outside(const MagicLine& line, std::size_t end) noexcept {
  return answer(line.relation == '!', end);
}

std::uint64_t read(std::string_view field, bool big_endian) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < field.size(); ++i) {
    const auto c = field[big_endian ? i : field.size() - 1 - i];
    value = value << 8 | static_cast<std::uint8_t>(c);
  }
  return value;
}

std::int64_t extend(std::uint64_t value, unsigned width) noexcept {
  const unsigned unused = 64 - 8 * width;
  return static_cast<std::int64_t>(value << unused) >> unused;
}

/// Nothing where libmagic reports a division by zero.
std::optional<std::uint64_t> calculate(std::uint64_t value, unsigned operation,
                                       std::uint64_t operand) noexcept {
  switch (operation) {
    case 0:
      return value & operand;
    case 1:
      return value | operand;
    case 2:
      return value ^ operand;
    case 3:
      return value + operand;
    case 4:
      return value - operand;
    case 5:
      return value * operand;
    case 6:
      if (operand == 0) return std::nullopt;
      return value / operand;
    default:
      if (operand == 0) return std::nullopt;
      return value % operand;
  }
}

std::optional<bool> compare(char relation, std::uint64_t value, std::uint64_t wanted,
                            bool is_signed) noexcept {
  const auto signed_value = static_cast<std::int64_t>(value);
  const auto signed_wanted = static_cast<std::int64_t>(wanted);
  switch (relation) {
    case 'x':
      return true;
    case '=':
      return value == wanted;
    case '!':
      return value != wanted;
    case '<':
      return is_signed ? signed_value < signed_wanted : value < wanted;
    case '>':
      return is_signed ? signed_value > signed_wanted : value > wanted;
    case '&':
      return (value & wanted) == wanted;
    case '^':
      return (value & wanted) != wanted;
    default:
      return std::nullopt;
  }
}

Outcome test_number(const MagicLine& line, std::string_view bytes, std::size_t at) noexcept {
  std::array<char, 8> field{};
  if (line.width == 8) {  // it looks at no bound here, and takes what is missing for zeros
    if (at < bytes.size()) bytes.copy(field.data(), field.size(), at);
  } else {
    if (!is_inside(bytes, at, line.width)) return outside(line, at + line.width);
    bytes.copy(field.data(), line.width, at);
  }
  auto value = read({field.data(), line.width}, line.big_endian);
  if (line.mask != 0) {
    const auto used = std::numeric_limits<std::uint64_t>::max() >> (64 - 8 * line.width);
    const auto masked = calculate(value, line.mask_operation, line.mask & used);
    if (!masked) return unsure();
    value = *masked & used;
  }
  if (line.is_signed) value = static_cast<std::uint64_t>(extend(value, line.width));
  const auto passes = compare(line.relation, value, line.number, line.is_signed);
  return passes ? answer(*passes, at + line.width) : unsure();
}

/// How the payload differs from a pattern: 0 for not, below or above 0 for sorting before or after
/// it. The modifiers compact whitespace and take letters for their other case. Nothing where
/// libmagic looks behind the payload's end.
std::optional<int> difference(const MagicLine& line, std::string_view text) noexcept {
  const std::string_view pattern = line.pattern;
  std::size_t t = 0;
  const auto skip_spaces = [&] {
    while (t < text.size() && is_space(text[t])) ++t;
  };
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    if (t >= text.size()) return 1;
    const char wanted = pattern[p];
    char c = text[t];
    if (line.has_modifier(MagicLine::lower_matches_upper) && is_lower(wanted)) {
      c = to_lower(c);
    } else if (line.has_modifier(MagicLine::upper_matches_lower) && is_upper(wanted)) {
      c = to_upper(c);
    } else if (line.has_modifier(MagicLine::compact_space) && is_space(wanted)) {
      if (!is_space(c)) return 1;
      ++t;
      const bool more_wanted = p + 1 < pattern.size() && is_space(pattern[p + 1]);
      if (!more_wanted) skip_spaces();
      continue;
    } else if (line.has_modifier(MagicLine::optional_space) && is_space(wanted)) {
      skip_spaces();
      continue;
    }
    ++t;
    if (c != wanted) return static_cast<std::uint8_t>(c) - static_cast<std::uint8_t>(wanted);
  }
  if (line.has_modifier(MagicLine::whole_word)) {
    if (t >= text.size()) return std::nullopt;
    if (text[t] != '\0' && !is_space(text[t])) return 1;
  }
  return 0;
}

Outcome test_string(const MagicLine& line, std::string_view bytes, std::size_t at) noexcept {
  if (!is_inside(bytes, at, line.pattern.size())) return outside(line, at + line.pattern.size());
  const auto rest = bytes.substr(at);
  constexpr std::uint32_t loosening = MagicLine::compact_space | MagicLine::optional_space |
                                      MagicLine::lower_matches_upper |
                                      MagicLine::upper_matches_lower | MagicLine::whole_word;
  if (line.relation == '=' && !line.has_modifier(loosening)) {
    return answer(rest.starts_with(line.pattern), at + line.pattern.size());
  }
  std::array<char, string_window> copy{};
  rest.copy(copy.data(), copy.size() - 1);
  const auto differs = difference(line, {copy.data(), copy.size()});
  if (!differs) return unsure();
  const auto passes =
      compare(line.relation, static_cast<std::uint64_t>(std::int64_t{*differs}), 0, line.is_signed);
  if (!passes) return unsure();
  auto end = at + line.pattern.size();
  if (line.relation != '=' && line.relation != '!') {
    const bool ends_with_line = line.pattern.empty() || line.pattern[0] == '\0';
    auto text = std::string_view(copy.data());
    if (ends_with_line) text = text.substr(0, text.find_first_of("\r\n"));
    end = at + text.size();
  }
  return answer(*passes, end);
}

Outcome test_string16(const MagicLine& line, std::string_view bytes, std::size_t at) noexcept {
  // Outside, it compares with zeros.
  if (at >= bytes.size()) {
    return line.pattern.empty() || line.pattern[0] == '\0' ? unsure() : no();
  }
  for (std::size_t i = 0; i < line.pattern.size(); ++i) {
    const auto low = at + 2 * i + (line.big_endian ? 1 : 0);
    const auto high = line.big_endian ? low - 1 : low + 1;
    if (low >= bytes.size()) return unsure();  // what is left of the line before is compared
    char c = bytes[low];
    if (c == '\0' && high < bytes.size() && bytes[high] != '\0') c = ' ';
    if (c != line.pattern[i]) return no();
  }
  return answer(true, at + line.pattern.size());
}

Outcome test_prefixed(const MagicLine& line, std::string_view bytes, std::size_t at) noexcept {
  const bool may_pass = is_inside(bytes, at, line.pattern.size() + 1) &&
                        bytes.substr(at + 1).starts_with(line.pattern);
  return may_pass ? unsure() : no();
}

/// The first place from `at` on where libmagic finds a pattern, `where.size()` for none; nothing
/// where it looks behind the end.
std::optional<std::size_t> find_loosely(const MagicLine& line, std::string_view where,
                                        std::size_t at) noexcept {
  const std::string_view pattern = line.pattern;
  const char first = pattern[0];
  const bool is_any =
      is_space(first) && line.has_modifier(MagicLine::compact_space | MagicLine::optional_space);
  if (pattern.size() > where.size()) return where.size();
  auto places = where.size() - pattern.size() + 1;
  if (line.range != 0) places = std::min<std::size_t>(places, line.range);
  for (; at < places; ++at) {
    if (!is_any && to_lower(where[at]) != to_lower(first)) continue;
    const auto differs = difference(line, where.substr(at));
    if (!differs) return std::nullopt;
    if (*differs == 0) return at;
  }
  return where.size();
}

std::size_t find_exactly(const MagicLine& line, std::string_view where, std::size_t at) noexcept {
  if (line.range != 0) where = where.substr(0, line.range + line.pattern.size());
  if (at > where.size()) return where.npos;
  const void* const found =
      ::memmem(where.data() + at, where.size() - at, line.pattern.data(), line.pattern.size());
  if (found == nullptr) return where.npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - where.data());
}

Outcome test_search(const MagicLine& line, const Subject& subject, std::size_t at) noexcept {
  const auto bytes = subject.bytes;
  const bool is_wanted = line.relation == '=';
  if (!is_inside(bytes, at, line.pattern.size())) return is_wanted ? no() : unsure();
  const auto where = bytes.substr(at);
  std::size_t from = 0;
  if (subject.literals != nullptr && line.literal) {
    const std::size_t first = (*subject.literals)[*line.literal];
    if (first == Literals::nowhere && is_wanted) return no();
    if (first > at) from = first - at;
  }
  std::optional<std::size_t> found;
  if (line.modifiers == 0) {
    found = std::min(find_exactly(line, where, from), where.size());
  } else {
    found = find_loosely(line, where, from);
  }
  if (!found) return unsure();
  if ((*found < where.size()) != is_wanted) return no();
  const auto start = is_wanted ? at + *found : at;
  const bool counts_from_start = line.has_modifier(MagicLine::ends_at_start);
  return answer(true, counts_from_start ? start : start + line.pattern.size());
}

/// The first `count` lines as libmagic counts them: of two line ends in a row, it sees but one.
std::string_view first_lines(std::string_view text, std::uint32_t count) noexcept {
  std::size_t at = 0;
  std::size_t last = 0;
  for (; count != 0 && at < text.size(); --count, ++at) {
    auto next = text.find('\n', at);
    if (next == text.npos) next = text.find('\r', at);
    if (next == text.npos) return text;
    at = next;
    if (at + 1 < text.size() && text[at] == '\r' && text[at + 1] == '\n') ++at;
    if (at + 1 < text.size() && text[at] == '\n') ++at;
    last = at;
  }
  return count != 0 ? text : text.substr(0, last);
}

Outcome test_expression(const MagicLine& line, std::string_view bytes, std::size_t at,
                        const Expressions& expressions, PosixExpressions& posix) {
  const bool is_wanted = line.relation == '=';
  if (at > bytes.size()) return is_wanted ? no() : unsure();
  const auto text = expression_text(line, bytes, at);
  PosixExpressions::Match match{false, 0, 0};
  if (expressions.can_match(line.expression, text)) {
    const auto said = posix.find(line.expression, text);
    if (!said) return unsure();
    match = *said;
  }
  if (match.found != is_wanted) return no();
  return answer(true, at + (line.has_modifier(MagicLine::ends_at_start) ? match.begin : match.end));
}

/// Where a line looks; nothing where that is not known, `nowhere` where the field that says it is
/// outside.
constexpr std::int64_t nowhere = -1;
std::optional<std::int64_t> place(const MagicLine& line, std::string_view bytes,
                                  std::optional<std::int32_t> base) noexcept {
  const bool needs_base = line.is_relative || line.pointer.is_relative;
  if (!line.is_place_known || (needs_base && !base)) return std::nullopt;
  const auto moved = line.is_relative ? static_cast<std::uint32_t>(*base) : 0U;
  const auto offset = static_cast<std::uint32_t>(line.offset) + moved;
  const auto& pointer = line.pointer;
  if (pointer.width == 0) return offset;
  if (!is_inside(bytes, offset, pointer.width)) return nowhere;
  const auto field = read(bytes.substr(offset, pointer.width), pointer.big_endian);
  auto value = pointer.is_signed ? extend(field, pointer.width) : static_cast<std::int64_t>(field);
  if (pointer.operand != 0) {
    // Signed, as libmagic divides.
    const std::int64_t operand = pointer.operand;
    if (pointer.operation >= 6) {
      value = pointer.operation == 6 ? value / operand : value % operand;
    } else {
      value =
          static_cast<std::int64_t>(*calculate(static_cast<std::uint64_t>(value), pointer.operation,
                                               static_cast<std::uint64_t>(operand)));
    }
  }
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  auto to = static_cast<std::uint32_t>(value);
  if (pointer.is_relative) {
    to += static_cast<std::uint32_t>(*base);
    if (line.level == 0 || to == 0) return nowhere;
  }
  return to;
}

}  // namespace

std::string_view expression_text(const MagicLine& line, std::string_view bytes,
                                 std::size_t at) noexcept {
  if (at > bytes.size()) return {};
  const auto window = line.lines != 0 ? std::uint64_t{line.lines} * line_length : line.range;
  auto text = bytes.substr(
      at, window == 0 ? expression_window : std::min<std::uint64_t>(window, expression_window));
  if (line.lines != 0) text = first_lines(text, line.lines);
  if (!text.empty()) text.remove_suffix(1);  // libmagic puts its NUL over the last byte
  return text.substr(0, text.find('\0'));
}

Outcome test(const MagicLine& line, const Subject& subject, std::optional<std::int32_t> base,
             const Expressions& expressions, PosixExpressions& posix) {
  const auto bytes = subject.bytes;
  if (line.test == MagicLine::Test::never) return no();
  if (line.test == MagicLine::Test::unknown) return unsure();
  const auto offset = place(line, bytes, base);
  if (!offset) return unsure();
  if (*offset == nowhere) return line.relation == '!' ? unsure() : no();
  const auto at = static_cast<std::size_t>(*offset);
  switch (line.test) {
    case MagicLine::Test::number:
      return test_number(line, bytes, at);
    case MagicLine::Test::string:
      return test_string(line, bytes, at);
    case MagicLine::Test::string16:
      return test_string16(line, bytes, at);
    case MagicLine::Test::prefixed:
      return test_prefixed(line, bytes, at);
    case MagicLine::Test::search:
      return test_search(line, subject, at);
    case MagicLine::Test::expression:
      return test_expression(line, bytes, at, expressions, posix);
    case MagicLine::Test::guid:
      return is_inside(bytes, at, line.pattern.size())
                 ? answer(bytes.substr(at).starts_with(line.pattern), at + line.pattern.size())
                 : no();
    case MagicLine::Test::der:
      return bytes.starts_with('0') ? unsure() : no();  // the tag of a sequence, 0x30
    case MagicLine::Test::clear:
    case MagicLine::Test::otherwise:
      return answer(true, at);
    case MagicLine::Test::unknown:
    case MagicLine::Test::never:
      break;
  }
  return unsure();
}
