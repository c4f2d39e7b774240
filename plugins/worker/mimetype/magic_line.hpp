/// A line of magic as a test: what it asks of a payload, where, and what it says where it passes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "magic_file.hpp"

struct MagicLine {
  enum class Test : std::uint8_t {
    unknown,    ///< one that only libmagic makes
    never,      ///< fails on every payload
    otherwise,  ///< passes where no line before it on its level did
    clear,      ///< has the next `otherwise` forget those
    number,
    string,
    string16,  ///< in every other byte
    prefixed,  ///< behind a byte that says how long it is
    search,
    expression,
    guid,
    der,
  };
  /// A field that an offset is read from.
  struct Pointer {
    std::uint8_t width = 0;  ///< 0: there is none
    bool big_endian = false, is_signed = false, is_relative = false;
    std::uint8_t operation = 0;
    std::int32_t operand = 0;
  };
  enum Modifier : std::uint32_t {
    compact_space = 0x1,
    optional_space = 0x2,
    lower_matches_upper = 0x4,
    upper_matches_lower = 0x8,
    ends_at_start = 0x10,
    whole_word = 0x4000,
  };

  explicit MagicLine(const MagicEntry& entry);

  [[nodiscard]] bool has_modifier(std::uint32_t any) const noexcept {
    return (modifiers & any) != 0;
  }

  Test test = Test::unknown;
  char relation = '=';
  bool tells = false;      ///< it has a description or a MIME type
  bool ends_rule = false;  ///< libmagic leaves the rule where it comes to this line
  bool only_text = false, only_binary = false;
  bool is_place_known = false, is_relative = false;
  bool big_endian = false, is_signed = false;
  std::uint8_t width = 0;           // numbers
  std::uint8_t mask_operation = 0;  // numbers
  unsigned level = 0;
  std::uint32_t end = 0;  ///< the first line that is not below this one
  std::int32_t offset = 0;
  Pointer pointer;
  std::uint64_t number = 0, mask = 0;
  std::uint32_t range = 0;  ///< search: places, expression: bytes; 0: all
  std::uint32_t lines = 0;  ///< expression: 0 for any number
  std::uint32_t modifiers = 0;
  std::uint32_t expression = 0;  ///< its number, for who keeps the expressions
  /// The number of a literal that does not begin behind the first place of the pattern.
  std::optional<std::uint32_t> literal;
  std::string pattern;
  std::string mime_type;

 private:
  void set_place(const MagicEntry& entry);
  void set_number(const MagicEntry& entry);
  void set_string(const MagicEntry& entry);
};

/// libmagic's names of tests, from file's src/file.h.
namespace magic_type {
inline constexpr std::uint8_t use = 46, indirect = 41, name = 45;
}
