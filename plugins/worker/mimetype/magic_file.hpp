/// libmagic's compiled database (magic.mgc), read as far as needed to tell which of its rules can
/// match a payload at all. Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/bytes.hpp>

/// One line of magic. Views into the MagicFile it comes from.
struct MagicEntry {
  enum Flag : unsigned { indirect = 0x01, relative = 0x02, relative_indirect = 0x04 };
  enum FlagMore : unsigned { is_unsigned = 0x08, for_binary = 0x20, for_text = 0x40 };
  enum FlagLast : unsigned { from_end = 0x80, from_start = 0x100 };

  unsigned level = 0;
  unsigned flags = 0;
  char relation = 0;
  std::uint8_t type = 0;
  std::uint8_t mask_operation = 0;
  std::uint8_t pointer_type = 0;  ///< of indirect offsets
  std::uint8_t pointer_operation = 0;
  std::int32_t pointer_operand = 0;
  std::int32_t offset = 0;
  std::uint64_t mask = 0;       ///< of numbers
  std::uint32_t range = 0;      ///< of strings, searches and expressions
  std::uint32_t modifiers = 0;  ///< of the same
  std::uint64_t number = 0;
  std::string_view string;
  std::string_view guid;
  std::string_view mime_type;
  bool tells = false;  ///< has a description or a MIME type
};

/// The database of one release of libmagic. Its layout is private to libmagic and has a number; a
/// number not known here is no error, only no help.
class MagicFile {
 public:
  /// Reads what magic_load(`path`) would load ("": the system's). Nothing where that is not one
  /// compiled file of a known layout (source text, several files), with the reason in `why`.
  static std::unique_ptr<MagicFile> read(const std::string& path, std::string& why);

  /// How many lines the rules have, in libmagic's order; the named ones, which only others refer
  /// to, are not among them.
  [[nodiscard]] std::size_t size() const noexcept { return rules_; }
  [[nodiscard]] MagicEntry entry(std::size_t index) const;
  /// The lines as they stand in the file.
  [[nodiscard]] stoq::ByteView lines(std::size_t first, std::size_t count) const;

  /// The head of a database of `count` rules and no named ones.
  [[nodiscard]] std::vector<std::byte> head(std::size_t count) const;
  /// A database that has the named rules only.
  [[nodiscard]] std::span<const std::byte> named() const noexcept { return named_; }

 private:
  struct Layout {
    std::uint32_t version;
    std::size_t size, level, level_size, flags, flags_size;
  };
  MagicFile(const Layout& layout, std::vector<std::byte> bytes, std::size_t rules);
  static const Layout* layout_of(std::uint32_t version) noexcept;

  const Layout* layout_;
  std::vector<std::byte> bytes_;
  std::size_t rules_;
  std::vector<std::byte> named_;
};
