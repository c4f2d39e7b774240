/// Where a zip archive begins and ends, worked out from its end record: PKWARE's APPNOTE.TXT,
/// sections 4.3.7 to 4.3.16. No offset or size in it is trusted.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <stoq/bytes.hpp>

namespace carve {

/// What an archive takes of a payload. Offsets are the payload's.
struct Claim {
  std::size_t begin = 0;  ///< its first local header
  std::size_t end = 0;    ///< behind its comment
  bool damaged = false;   ///< its directory leads nowhere: all from the first local header on
};

/// Works out claims in one payload. Time is linear in the payload, whatever its end records say:
/// once directories of so many bytes were read, only the first entry of each further one is.
class Archives {
 public:
  explicit Archives(stoq::ByteView payload) noexcept
      : payload_(payload), budget_(2 * payload.size() + 65536) {}

  /// The archive whose end record stands at `end`, and of whose comment there is no more than up to
  /// `limit`; nothing when its directory or first local header is not where it should be.
  [[nodiscard]] std::optional<Claim> at(std::size_t end, std::size_t limit);

  /// What could be an archive with a broken directory: from the first local header at or behind
  /// `from` to the end record at `end`; nothing when either is no likely one.
  [[nodiscard]] std::optional<Claim> damaged_at(std::size_t end, std::size_t from,
                                                std::size_t limit) const;

 private:
  /// A directory: where it stands, and what its offsets lack (modulo 2^64).
  struct Place {
    std::size_t begin = 0, end = 0;
    std::uint64_t shift = 0;
  };
  /// A member: from its local header to behind its data.
  struct Extent {
    std::size_t begin = 0, end = 0;
  };

  [[nodiscard]] std::optional<Place> place(std::size_t end, std::uint64_t size,
                                           std::uint64_t offset) const;
  [[nodiscard]] std::optional<Place> place64(std::size_t end) const;
  [[nodiscard]] std::vector<Extent> members(const Place& place);
  [[nodiscard]] std::size_t first_of(std::vector<Extent> members, std::size_t directory) const;

  stoq::ByteView payload_;
  std::size_t budget_;  ///< bytes of directories that may still be read
};

}  // namespace carve
