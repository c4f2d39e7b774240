/// The central directory of a zip archive, read with every offset checked, and with what hides in
/// front of the archive (a self-extractor's program) allowed for.
/// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/bytes.hpp>

namespace unzip {

inline constexpr std::size_t nothing = std::numeric_limits<std::size_t>::max();

inline constexpr std::uint16_t flag_encrypted = 1U << 0U;
inline constexpr std::uint16_t flag_strong = 1U << 6U;   ///< PKWARE's own encryption
inline constexpr std::uint16_t flag_hidden = 1U << 13U;  ///< of the directory itself
inline constexpr std::uint16_t method_stored = 0;
inline constexpr std::uint16_t method_imploded = 6;
inline constexpr std::uint16_t method_deflated = 8;
inline constexpr std::uint16_t method_deflated64 = 9;

/// One member as the directory claims it. Offsets are in the payload.
struct Entry {
  std::string_view name;  ///< raw bytes; looks into the payload
  std::uint16_t flags = 0;
  std::uint16_t method = 0;        ///< of the data; with AES the one inside
  std::uint16_t local_method = 0;  ///< as the local header has it
  std::uint16_t time = 0;
  std::uint16_t date = 0;
  std::uint32_t crc = 0;
  std::uint64_t compressed = 0;
  std::uint64_t size = 0;
  std::size_t header = 0;          ///< its local header, if there is one
  std::size_t data = nothing;      ///< its first byte; `nothing` when there is no local header
  std::size_t room_end = 0;        ///< where the next member or the directory begins
  std::size_t overlaps = nothing;  ///< the entry in whose bytes this one lies
  std::uint16_t aes_version = 0;   ///< 0: no AES
  std::uint8_t aes_strength = 0;

  [[nodiscard]] bool encrypted() const noexcept { return (flags & flag_encrypted) != 0; }
  [[nodiscard]] bool is_directory() const noexcept { return name.ends_with('/') && size == 0; }
};

struct Directory {
  std::vector<Entry> entries;  ///< in directory order
  std::string problem;         ///< why it ends early; empty when it does not
  std::size_t data_end = 0;    ///< behind the last byte that a member in it has
  std::size_t begin = 0;       ///< where it stands
};

/// The archive's directory, or nothing when there is none that leads anywhere.
std::optional<Directory> read_directory(stoq::ByteView archive);

/// What `entry` claims as its data, as far as the archive has it.
stoq::ByteView data_of(stoq::ByteView archive, const Entry& entry) noexcept;

/// "method 6 (implode)".
std::string describe_method(std::uint16_t method);

}  // namespace unzip
