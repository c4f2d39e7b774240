#include "signatures.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>

using namespace std::string_view_literals;

namespace {

struct Signature {
  std::string_view prefix, type;
};

// Of each of these libmagic 5.44 says the same whatever follows, unless a file is made to be two
// formats at once (a tar header with the right checksum around it, say).
constexpr std::array signatures{
    Signature{"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"sv, "image/png"},
    Signature{"GIF87a"sv, "image/gif"},
    Signature{"GIF89a"sv, "image/gif"},
    Signature{"\xff\xd8\xff\xdb"sv, "image/jpeg"},
    Signature{"\xff\xd8\xff\xe0"sv, "image/jpeg"},
    Signature{"\xff\xd8\xff\xe1"sv, "image/jpeg"},
    Signature{"\xff\xd8\xff\xe2"sv, "image/jpeg"},
    Signature{"\xff\xd8\xff\xee"sv, "image/jpeg"},
    Signature{"%PDF-"sv, "application/pdf"},
    Signature{"\xfd\x37zXZ\0"sv, "application/x-xz"},
    Signature{"7z\xbc\xaf\x27\x1c"sv, "application/x-7z-compressed"},
    Signature{"Rar!\x1a\x07\0"sv, "application/x-rar"},
    Signature{"Rar!\x1a\x07\x01\0"sv, "application/x-rar"},
    Signature{"\x28\xb5\x2f\xfd"sv, "application/zstd"},
};

bool starts_with(stoq::ByteView bytes, std::string_view prefix) noexcept {
  return stoq::as_chars(bytes).starts_with(prefix);
}

/// gzip, unless its header has an extra field (BGZF has a type of its own) or its data begin with
/// letters (CAD drawings that wear gzip's magic).
bool is_gzip(stoq::ByteView bytes) noexcept {
  if (!stoq::fits(bytes, 0, 18) || !starts_with(bytes, "\x1f\x8b\x08"sv)) return false;
  const auto flags = std::to_integer<unsigned>(bytes[3]);
  const auto data = stoq::as_chars(bytes.subspan(10, 3));
  return (flags & 0xe4U) == 0 && ((flags & 0x18U) != 0 || (data != "MCD" && data != "GXD"));
}

/// bzip2 with the magic of its first block, or of its end when it is empty.
bool is_bzip2(stoq::ByteView bytes) noexcept {
  if (!stoq::fits(bytes, 0, 14) || !starts_with(bytes, "BZh")) return false;
  const auto level = std::to_integer<char>(bytes[3]);
  const auto block = stoq::as_chars(bytes.subspan(4, 6));
  return level >= '1' && level <= '9' &&
         (block == "\x31\x41\x59\x26\x53\x59"sv || block == "\x17\x72\x45\x38\x50\x90"sv);
}

/// Fields of an ELF file in its own byte order; nothing where they lie outside.
class Elf {
 public:
  explicit Elf(stoq::ByteView bytes) noexcept : bytes_(bytes) {}

  [[nodiscard]] bool is_valid() const noexcept {
    return stoq::fits(bytes_, 0, 64) &&
           starts_with(bytes_,
                       "\x7f"
                       "ELF") &&
           (at(4) == 1 || at(4) == 2) && (at(5) == 1 || at(5) == 2);
  }
  [[nodiscard]] bool is_64() const noexcept { return at(4) == 2; }
  template <std::unsigned_integral T>
  [[nodiscard]] std::optional<T> field(std::uint64_t offset) const noexcept {
    if (!stoq::fits(bytes_, offset, sizeof(T))) return std::nullopt;
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      const auto place = at(5) == 1 ? i : sizeof(T) - 1 - i;
      const auto byte = std::to_integer<T>(bytes_[offset + i]);
      value = static_cast<T>(value | static_cast<T>(byte << (8 * place)));
    }
    return value;
  }
  /// A field as wide as an address of this class.
  [[nodiscard]] std::optional<std::uint64_t> word(std::uint64_t offset) const noexcept {
    if (is_64()) return field<std::uint64_t>(offset);
    const auto narrow = field<std::uint32_t>(offset);
    if (!narrow) return std::nullopt;
    return *narrow;
  }

 private:
  [[nodiscard]] unsigned at(std::size_t offset) const noexcept {
    return std::to_integer<unsigned>(bytes_[offset]);
  }
  stoq::ByteView bytes_;
};

/// Whether a dynamic segment says "position-independent executable" (DF_1_PIE). Nothing when there
/// is none to ask, or it lies outside the file.
std::optional<bool> says_pie(const Elf& elf, std::uint64_t offset, std::uint64_t size) noexcept {
  constexpr std::uint64_t dt_null = 0;
  constexpr std::uint64_t dt_flags_1 = 0x6ffffffb;
  constexpr std::uint64_t df_1_pie = 0x08000000;
  constexpr std::uint64_t most = 4096;  // entries; real files have some thirty
  const std::uint64_t width = elf.is_64() ? 16 : 8;
  std::optional<bool> pie;
  for (std::uint64_t i = 0; i < std::min(size / width, most); ++i) {
    const auto tag = elf.word(offset + i * width);
    const auto value = elf.word(offset + i * width + width / 2);
    if (!tag || !value || *tag == dt_null) break;
    if (*tag == dt_flags_1) pie = (*value & df_1_pie) != 0;
  }
  return pie;
}

/// ET_DYN: a library or an executable. `file` looks for DF_1_PIE, and where a file has no flags
/// goes by its permissions, which a payload does not have: then it is a library here.
std::string_view shared_elf(const Elf& elf) noexcept {
  constexpr std::uint32_t pt_dynamic = 2;
  const auto table = elf.word(elf.is_64() ? 32 : 28);
  const auto width = elf.field<std::uint16_t>(elf.is_64() ? 54 : 42);
  const auto count = elf.field<std::uint16_t>(elf.is_64() ? 56 : 44);
  constexpr std::uint16_t most = 2048;  // headers; `file` gives up there too
  bool pie = false;
  for (std::uint64_t i = 0; table && width && count && i < std::min(*count, most); ++i) {
    const auto header = *table + i * *width;
    const auto kind = elf.field<std::uint32_t>(header);
    if (!kind) break;
    if (*kind != pt_dynamic) continue;
    const auto offset = elf.word(header + (elf.is_64() ? 8 : 4));
    const auto size = elf.word(header + (elf.is_64() ? 32 : 16));
    pie = offset && size && says_pie(elf, *offset, *size).value_or(false);
    break;  // there is but one in a file that can be loaded
  }
  return pie ? "application/x-pie-executable"sv : "application/x-sharedlib"sv;
}

std::string_view elf_type(stoq::ByteView bytes) noexcept {
  const Elf elf(bytes);
  if (!elf.is_valid()) return {};
  switch (elf.field<std::uint16_t>(16).value_or(0)) {
    case 1:
      return "application/x-object";
    case 2:
      return "application/x-executable";
    case 3:
      return shared_elf(elf);
    case 4:
      return "application/x-coredump";
    default:
      return {};
  }
}

}  // namespace

std::string_view type_by_signature(stoq::ByteView bytes) noexcept {
  if (bytes.empty()) return "inode/x-empty";
  for (const auto& [prefix, type] : signatures) {
    if (starts_with(bytes, prefix)) return type;
  }
  if (is_gzip(bytes)) return "application/gzip";
  if (is_bzip2(bytes)) return "application/x-bzip2";
  return elf_type(bytes);
}

bool is_surely_binary(stoq::ByteView bytes, std::size_t window) noexcept {
  // A NUL inside (libmagic ignores those at the end) is in no text encoding it knows, but for
  // UTF-16 and UTF-32, which it knows by their byte order marks.
  if (bytes.size() < 4 || starts_with(bytes, "\xff\xfe"sv) || starts_with(bytes, "\xfe\xff"sv) ||
      starts_with(bytes, "\0\0\xfe\xff"sv)) {
    return false;
  }
  const auto head = stoq::as_chars(bytes.first(std::min(window, bytes.size())));
  const auto nul = head.find('\0');
  return nul != head.npos && head.find_first_not_of('\0', nul) != head.npos;
}

bool ends_as_zip(stoq::ByteView bytes) noexcept {
  constexpr std::size_t record = 22;  // the end of central directory, without a comment
  // What begins as a zip file too has been recognised as a kind of zip that has no type of its own.
  return bytes.size() >= record && starts_with(bytes.last(record), "PK\x05\x06"sv) &&
         !starts_with(bytes, "PK\x03\x04"sv) && !starts_with(bytes, "#!"sv);
}
