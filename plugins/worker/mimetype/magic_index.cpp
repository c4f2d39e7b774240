#include "magic_index.hpp"

#include <algorithm>
#include <cstring>

#include <stoq/bytes.hpp>

namespace {

/// Types and modifiers of a magic entry, from file's src/file.h.
enum Type : std::uint8_t {
  is_byte = 1,
  is_short = 2,
  is_long = 4,
  is_string = 5,
  is_beshort = 7,
  is_belong = 8,
  is_leshort = 10,
  is_lelong = 11,
  is_pstring = 13,
  is_regex = 17,
  is_search = 20,
  is_quad = 24,
  is_lequad = 25,
  is_bequad = 26,
  is_indirect = 41,
  is_name = 45,
  is_use = 46,
  is_der = 48,
};
constexpr std::uint32_t compact_space = 0x3, any_case = 0xc, for_text = 0x20, for_binary = 0x40;
constexpr std::uint32_t length_sizes = 0xf80, length_of_one_byte = 0x80;
constexpr std::uint32_t whole_word = 0x4000, counts_lines = 0x800;
constexpr std::uint32_t expression_window = 8192;  // libmagic's own bound
constexpr std::uint32_t line_length = 80;          // what libmagic takes a line for

char fold(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_folded(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return fold(x) == fold(y); });
}

std::string_view part(std::string_view text, std::size_t offset, std::size_t count) noexcept {
  return text.substr(std::min(offset, text.size()), count);
}

/// The first `count` lines, 0 for all.
std::string_view first_lines(std::string_view text, std::uint32_t count) noexcept {
  std::size_t end = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto at = text.find('\n', end);
    if (at == text.npos) return text;
    end = at + 1;
  }
  return count == 0 ? text : text.substr(0, end);
}

}  // namespace

MagicIndex::MagicIndex(const MagicFile& file) {
  for (std::size_t first = 0; first < file.size();) {
    auto end = first + 1;
    while (end < file.size() && file.entry(end).level != 0) ++end;
    add_rule(file, first, end);
    first = end;
  }
  std::vector<std::string> atoms;
  expressions_.Compile(&atoms);
  for (const auto& atom : atoms) {
    atoms_.push_back(static_cast<std::uint32_t>(literals_.add(atom)));
  }
  has_literals_ = literals_.build();
}

void MagicIndex::add_rule(const MagicFile& file, std::size_t first, std::size_t end) {
  Rule rule{first, end - first, false, false, false, true};
  const auto number = static_cast<std::uint32_t>(rules_.size());
  for (auto i = first; i < end; ++i) {
    const auto entry = file.entry(i);
    rule.uses_named |= entry.type == is_use;
    rule.looks_again |= entry.type == is_indirect;
    rule.is_clear &= !entry.is_plain && entry.type != is_use && entry.type != is_indirect;
    auto node = make_node(entry);
    if (entry.type == is_regex) set_expression(node, entry);
    auto below = i + 1;
    while (below < end && file.entry(below).level > entry.level) ++below;
    node.end = static_cast<std::uint32_t>(below);
    nodes_.push_back(std::move(node));
  }
  const auto flags = file.entry(first).flags;
  auto& head = nodes_[first];
  constexpr unsigned both = MagicEntry::for_text | MagicEntry::for_binary;
  rule.is_for_both = (flags & both) == both;
  rule.is_clear &= !rule.is_for_both;
  if ((flags & MagicEntry::for_text) != 0) text_.push_back(number);
  if ((flags & MagicEntry::for_binary) != 0) {
    for (unsigned byte = 0; byte < binary_.size(); ++byte) {
      if (can_begin(head, static_cast<std::uint8_t>(byte))) binary_[byte].push_back(number);
    }
  }
  for (auto i = first; (flags & MagicEntry::for_text) != 0 && i < end; ++i) {
    auto& node = nodes_[i];
    // Few places are quicker looked at one by one.
    const bool is_few = node.range != 0 && node.range <= 2;
    if (node.test == Test::search && !is_few) {
      node.literal = static_cast<int>(literals_.add(node.pattern));
    }
  }
  rules_.push_back(rule);
}

MagicIndex::Node MagicIndex::make_node(const MagicEntry& entry) {
  Node node;
  node.level = entry.level;
  node.tells =
      entry.tells || entry.type == is_use || entry.type == is_indirect || entry.type == is_name;
  node.relation = entry.relation;
  // libmagic counts from the end of files only, never of buffers.
  if ((entry.flags & MagicEntry::from_end) != 0) {
    if (entry.level == 0) node.test = Test::never;
    return node;
  }
  constexpr unsigned moved = MagicEntry::indirect | MagicEntry::relative |
                             MagicEntry::relative_indirect | MagicEntry::from_start;
  if ((entry.flags & moved) != 0 || entry.offset < 0) return node;
  node.offset = static_cast<std::uint32_t>(entry.offset);
  set_number(node, entry);
  if (entry.type == is_string || entry.type == is_search) set_string(node, entry);
  if (entry.type == is_pstring && entry.relation == '=' &&
      (entry.modifiers & length_sizes) == length_of_one_byte) {
    node.pattern = entry.string.substr(0, entry.string.find('\0'));
    ++node.offset;  // behind the length
    node.test = node.pattern.empty() ? Test::always : Test::bytes;
  }
  if (entry.type == is_der && entry.relation == '=' && entry.string == "seq" && entry.level == 0) {
    node.test = Test::der;
  }
  return node;
}

void MagicIndex::set_number(Node& node, const MagicEntry& entry) {
  switch (entry.type) {
    case is_byte:
      node.width = 1;
      break;
    case is_beshort:
    case is_short:
    case is_leshort:
      node.width = 2;
      break;
    case is_belong:
    case is_long:
    case is_lelong:
      node.width = 4;
      break;
    case is_bequad:
    case is_quad:
    case is_lequad:
      node.width = 8;
      break;
    default:
      return;
  }
  node.big_endian = entry.type == is_beshort || entry.type == is_belong || entry.type == is_bequad;
  node.is_signed = (entry.flags & MagicEntry::is_unsigned) == 0;
  node.mask = entry.mask == 0 ? UINT64_MAX : entry.mask;
  node.number = entry.number;
  // The only mask in use that is not "and" is "modulo", by few.
  if (entry.mask_operation == 0) node.test = Test::number;
}

void MagicIndex::set_string(Node& node, const MagicEntry& entry) {
  const auto flagged = entry.modifiers & (for_text | for_binary);
  node.only_text = flagged == for_text;
  node.only_binary = flagged == for_binary;
  if (entry.relation != '=') return;
  auto pattern = entry.string;
  const bool searches = entry.type == is_search;
  if (!searches && entry.range != 0) pattern = pattern.substr(0, entry.range);
  const bool is_loose = (entry.modifiers & (compact_space | any_case | whole_word)) != 0;
  if ((entry.modifiers & compact_space) != 0) {
    pattern = pattern.substr(0, pattern.find_first_of(" \t\n\v\f\r"));
  }
  if (pattern.empty()) return;
  node.pattern = pattern;
  node.range = searches ? entry.range : 0;
  if (searches) {
    node.test = Test::search;
    node.mask = is_loose ? 1 : 0;
  } else {
    node.test = is_loose ? Test::folded : Test::bytes;
  }
}

void MagicIndex::set_expression(Node& node, const MagicEntry& entry) {
  const auto flagged = entry.modifiers & (for_text | for_binary);
  node.only_text = flagged == for_text;
  node.only_binary = flagged == for_binary;
  constexpr unsigned moved = MagicEntry::indirect | MagicEntry::relative |
                             MagicEntry::relative_indirect | MagicEntry::from_start |
                             MagicEntry::from_end;
  if ((entry.flags & moved) != 0 || entry.offset < 0) return;
  if (entry.relation != '=' && entry.relation != '!') return;
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_posix_syntax(true);
  options.set_perl_classes(true);
  options.set_word_boundary(true);
  options.set_log_errors(false);
  options.set_max_mem(std::int64_t{2} << 20);
  options.set_case_sensitive((entry.modifiers & any_case) == 0);
  const auto pattern = entry.string.substr(0, entry.string.find('\0'));  // a C string
  if (expressions_.Add({pattern.data(), pattern.size()}, options, &node.expression) !=
      re2::RE2::NoError) {
    node.expression = -1;
    return;
  }
  node.test = Test::expression;
  node.lines = (entry.modifiers & counts_lines) != 0 ? entry.range : 0;
  const auto window = node.lines != 0 ? std::uint64_t{node.lines} * line_length : entry.range;
  node.range = window == 0
                   ? expression_window
                   : static_cast<std::uint32_t>(std::min<std::uint64_t>(window, expression_window));
}

/// Whether the rule `node` stands for can match a payload that begins with `byte`.
bool MagicIndex::can_begin(const Node& node, std::uint8_t byte) {
  if (node.test == Test::never) return false;
  if (node.test == Test::der) return byte == 0x30;
  if (node.offset != 0 || node.relation != '=') return true;
  if (node.test == Test::bytes) return static_cast<std::uint8_t>(node.pattern[0]) == byte;
  if (node.test != Test::number) return true;
  const auto shift = node.big_endian ? 8U * (node.width - 1U) : 0U;
  return (byte & (node.mask >> shift) & 0xff) == ((node.number >> shift) & 0xff);
}

void MagicIndex::select_binary(std::string_view bytes, bool is_text,
                               std::vector<std::uint32_t>& to) const {
  const Subject subject{bytes, is_text, nullptr};
  for (const auto number : binary_[bytes.empty() ? 0 : static_cast<std::uint8_t>(bytes[0])]) {
    if (matters(rules_[number].first_line, subject)) to.push_back(number);
  }
}

void MagicIndex::select_text(std::string_view text, Scratch& scratch,
                             std::vector<std::uint32_t>& to) const {
  if (has_literals_) {
    literals_.find(text, scratch.first);
    scratch.found.clear();
    for (std::size_t i = 0; i < atoms_.size(); ++i) {
      if (scratch.first[atoms_[i]] != Literals::nowhere) {
        scratch.found.push_back(static_cast<int>(i));
      }
    }
    expressions_.AllPotentials(scratch.found, &scratch.possible);
    scratch.may_match.assign(static_cast<std::size_t>(expressions_.NumRegexps()), false);
    for (const int i : scratch.possible) scratch.may_match[static_cast<std::size_t>(i)] = true;
  }
  const Subject subject{text, true, has_literals_ ? &scratch : nullptr};
  for (const auto number : text_) {
    if (matters(rules_[number].first_line, subject)) to.push_back(number);
  }
}

bool MagicIndex::matters(std::size_t number, const Subject& subject) const {
  const auto& node = nodes_[number];
  const bool is_dear = node.test == Test::expression;  // so its refinements are tried first
  if (!is_dear && !passes(node, subject)) return false;
  bool tells = node.tells;
  for (auto below = number + 1; !tells && below < node.end; below = nodes_[below].end) {
    tells = nodes_[below].level == node.level + 1 && matters(below, subject);
  }
  return tells && (!is_dear || passes(node, subject));
}

bool MagicIndex::passes(const Node& node, const Subject& subject) const {
  if (subject.is_text ? node.only_binary : node.only_text) return node.level != 0;
  switch (node.test) {
    case Test::always:
      return true;
    case Test::never:
      return false;
    case Test::number:
      return compares(node, subject.bytes);
    case Test::bytes:
      return part(subject.bytes, node.offset, node.pattern.size()) == node.pattern;
    case Test::folded:
      return equal_folded(part(subject.bytes, node.offset, node.pattern.size()), node.pattern);
    case Test::search:
      return finds(node, subject);
    case Test::expression:
      return finds_expression(node, subject);
    case Test::der:
      return subject.bytes.substr(0, 1) == "0";  // the tag of a sequence, 0x30
  }
  return true;
}

bool MagicIndex::compares(const Node& node, std::string_view bytes) {
  const auto field = part(bytes, node.offset, node.width);
  if (field.size() < node.width) return false;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < node.width; ++i) {
    const auto byte = static_cast<std::uint8_t>(field[node.big_endian ? i : node.width - 1 - i]);
    value = value << 8 | byte;
  }
  value &= node.mask;
  const auto unused = 64U - 8U * node.width;
  const auto extended = static_cast<std::int64_t>(value << unused) >> unused;
  if (node.is_signed) value = static_cast<std::uint64_t>(extended);
  const auto wanted = static_cast<std::int64_t>(node.number);
  switch (node.relation) {
    case '=':
      return (value ^ node.number) << unused == 0;
    case '!':
      return value != node.number;
    case '<':
      return node.is_signed ? extended < wanted : value < node.number;
    case '>':
      return node.is_signed ? extended > wanted : value > node.number;
    case '&':
      return (value & node.number) == node.number;
    default:
      return true;
  }
}

bool MagicIndex::finds(const Node& node, const Subject& subject) {
  const bool is_loose = node.mask != 0;
  const auto count = node.range == 0 ? subject.bytes.npos : node.range + node.pattern.size();
  const auto where = part(subject.bytes, node.offset, count);
  if (node.literal >= 0 && subject.scratch != nullptr) {
    const auto first = subject.scratch->first[static_cast<std::size_t>(node.literal)];
    if (first == Literals::nowhere) return false;
    if (is_loose) return node.range == 0 || first <= std::uint64_t{node.offset} + node.range;
  }
  if (!is_loose) return where.find(node.pattern) != where.npos;
  const char start = fold(node.pattern[0]);
  const bool is_letter = start >= 'a' && start <= 'z';
  const std::array starts{start, is_letter ? static_cast<char>(start - 'a' + 'A') : start};
  const std::string_view either(starts.data(), starts.size());
  for (auto at = where.find_first_of(either); at != where.npos;
       at = where.find_first_of(either, at + 1)) {
    if (equal_folded(part(where, at, node.pattern.size()), node.pattern)) return true;
  }
  return false;
}

bool MagicIndex::finds_expression(const Node& node, const Subject& subject) const {
  const bool wanted = node.relation == '=';
  if (subject.scratch != nullptr &&
      !subject.scratch->may_match[static_cast<std::size_t>(node.expression)]) {
    return !wanted;
  }
  if (subject.bytes.size() < node.offset) return false;
  auto where = first_lines(part(subject.bytes, node.offset, node.range), node.lines);
  if (!where.empty()) where.remove_suffix(1);  // libmagic puts its NUL over the last byte
  where = where.substr(0, where.find('\0'));
  const auto& expression = expressions_.GetRE2(node.expression);
  return re2::RE2::PartialMatch({where.data(), where.size()}, expression) == wanted;
}
