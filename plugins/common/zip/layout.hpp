/// The records of a zip archive: their marks and fixed sizes.
/// APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <stoq/bytes.hpp>

namespace stoq::common::zip {

inline constexpr std::string_view local_magic{"PK\3\4", 4};
inline constexpr std::string_view entry_magic{"PK\1\2", 4};
inline constexpr std::string_view end_magic{"PK\5\6", 4};
inline constexpr std::string_view end64_magic{"PK\6\6", 4};
inline constexpr std::string_view locator_magic{"PK\6\7", 4};

inline constexpr std::size_t local_size = 30;
inline constexpr std::size_t entry_size = 46;
inline constexpr std::size_t end_size = 22;
inline constexpr std::size_t end64_size = 56;
inline constexpr std::size_t locator_size = 20;
/// Instead of a size or offset: it stands in the zip64 extra field.
inline constexpr std::uint32_t in_extra = 0xffffffff;

/// Whether a record with this mark begins at `offset`, which may be anywhere.
[[nodiscard]] inline bool stands_at(ByteView bytes, std::uint64_t offset,
                                    std::string_view magic) noexcept {
  return offset <= bytes.size() && fits(bytes, offset, magic.size()) &&
         as_chars(bytes.subspan(offset, magic.size())) == magic;
}

}  // namespace stoq::common::zip
