#include "magic_line.hpp"

namespace {

// Types, flags and operations of entries, from file's src/file.h.
enum Type : std::uint8_t {
  is_byte = 1,
  is_short = 2,
  is_default = 3,
  is_long = 4,
  is_string = 5,
  is_beshort = 7,
  is_belong = 8,
  is_leshort = 10,
  is_lelong = 11,
  is_pstring = 13,
  is_regex = 17,
  is_bestring16 = 18,
  is_lestring16 = 19,
  is_search = 20,
  is_quad = 24,
  is_lequad = 25,
  is_bequad = 26,
  is_clear = 47,
  is_der = 48,
  is_guid = 49,
};
constexpr std::uint32_t for_text = 0x20, for_binary = 0x40, counts_lines = 0x800;
constexpr std::uint32_t length_sizes = 0xf80, length_of_one_byte = 0x80;
constexpr unsigned operations = 0x07, takes_sign = 0x20;
constexpr std::size_t longest_string = 127;  // libmagic compares with 128 bytes and ends them

struct Field {
  std::uint8_t width;
  bool big_endian;
};

/// Of integers; a width of 0 for all other types.
Field field_of(std::uint8_t type) noexcept {
  switch (type) {
    case is_byte:
      return {1, false};
    case is_beshort:
      return {2, true};
    case is_short:
    case is_leshort:
      return {2, false};
    case is_belong:
      return {4, true};
    case is_long:
    case is_lelong:
      return {4, false};
    case is_bequad:
      return {8, true};
    case is_quad:
    case is_lequad:
      return {8, false};
    default:
      return {0, false};
  }
}

}  // namespace

MagicLine::MagicLine(const MagicEntry& entry)
    : relation(entry.relation),
      tells(entry.tells || entry.type == magic_type::use || entry.type == magic_type::indirect),
      level(entry.level),
      offset(entry.offset),
      mime_type(entry.mime_type) {
  set_place(entry);
  // libmagic counts from the end of files only, never of buffers.
  constexpr unsigned moved = MagicEntry::relative | MagicEntry::relative_indirect;
  if ((entry.flags & MagicEntry::from_end) != 0 && (level == 0 || (entry.flags & moved) == 0)) {
    if (level == 0) test = Test::never;
    ends_rule = level != 0;
    return;
  }
  set_number(entry);
  if (entry.type == is_default && relation == 'x') test = Test::otherwise;
  if (entry.type == is_clear && relation == 'x') test = Test::clear;
  if (entry.type == is_guid && relation == '=') {
    test = Test::guid;
    pattern = entry.guid;
  }
  if (entry.type == is_der && relation == '=' && entry.string == "seq" && level == 0) {
    test = Test::der;
  }
  const bool is_text = entry.type == is_string || entry.type == is_search ||
                       entry.type == is_regex || entry.type == is_pstring ||
                       entry.type == is_bestring16 || entry.type == is_lestring16;
  if (is_text) set_string(entry);
}

void MagicLine::set_place(const MagicEntry& entry) {
  is_relative = (entry.flags & MagicEntry::relative) != 0;
  is_place_known = (entry.flags & MagicEntry::from_start) == 0 && (level != 0 || !is_relative);
  // From a line above; the sign stands in the flag.
  if ((entry.flags & MagicEntry::from_end) != 0) offset = -entry.offset;
  if ((entry.flags & MagicEntry::indirect) == 0) return;
  const auto [field_width, is_big] = field_of(entry.pointer_type);
  pointer.width = field_width;
  pointer.big_endian = is_big;
  pointer.is_signed = (entry.pointer_operation & takes_sign) != 0;
  pointer.is_relative = (entry.flags & MagicEntry::relative_indirect) != 0;
  pointer.operation = entry.pointer_operation & operations;
  pointer.operand = entry.pointer_operand;
  const bool is_plain = (entry.pointer_operation & ~(operations | takes_sign)) == 0;
  is_place_known &= is_plain && field_width != 0 && field_width <= 4;
}

void MagicLine::set_number(const MagicEntry& entry) {
  const auto [field_width, is_big] = field_of(entry.type);
  if (field_width == 0) return;
  width = field_width;
  big_endian = is_big;
  is_signed = (entry.flags & MagicEntry::is_unsigned) == 0;
  mask_operation = entry.mask_operation;
  mask = entry.mask;
  number = entry.number;
  if (mask_operation <= operations) test = Test::number;
}

void MagicLine::set_string(const MagicEntry& entry) {
  modifiers = entry.modifiers;
  range = entry.range;
  pattern = entry.string;
  is_signed = (entry.flags & MagicEntry::is_unsigned) == 0;
  only_text = (modifiers & (for_text | for_binary)) == for_text;
  only_binary = (modifiers & (for_text | for_binary)) == for_binary;
  const bool is_wanted = relation == '=' || relation == '!';
  switch (entry.type) {
    case is_string:
      if (pattern.size() < longest_string) test = Test::string;
      break;
    case is_search:
      if (is_wanted && !pattern.empty()) test = Test::search;
      break;
    case is_regex:
      pattern = pattern.substr(0, pattern.find('\0'));  // a C string
      lines = (modifiers & counts_lines) != 0 ? range : 0;
      if (is_wanted) test = Test::expression;
      break;
    case is_pstring:
      pattern = pattern.substr(0, pattern.find('\0'));
      if (relation == '=' && !pattern.empty() && (modifiers & length_sizes) == length_of_one_byte) {
        test = Test::prefixed;
      }
      break;
    default:
      big_endian = entry.type == is_bestring16;
      if (relation == '=' && pattern.size() < longest_string) test = Test::string16;
  }
}
