#include "directory.hpp"

#include <algorithm>

#include "layout.hpp"

namespace carve {
namespace {

using namespace stoq::common::zip;

using stoq::ByteView;
using stoq::Cursor;
using stoq::fits;

template <std::unsigned_integral T>
T read(ByteView view, std::size_t offset) {
  return Cursor(stoq::slice(view, offset, sizeof(T))).le<T>();
}

/// One entry of a directory, as far as it is needed here.
struct Entry {
  std::size_t size = 0;  ///< of the entry itself
  std::uint64_t compressed = 0;
  std::uint64_t header = 0;
};

void read_zip64(ByteView extra, bool long_size, Entry& entry) {
  Cursor fields(extra);
  while (fields.remaining() >= 4) {
    const auto id = fields.le<std::uint16_t>();
    const auto size = fields.le<std::uint16_t>();
    if (size > fields.remaining()) return;
    Cursor field(fields.take(size));
    if (id != 1) continue;
    if (long_size && field.remaining() >= 8) field.take(8);
    for (auto* value : {&entry.compressed, &entry.header}) {
      if (*value == in_extra && field.remaining() >= 8) *value = field.le<std::uint64_t>();
    }
    return;
  }
}

/// The entry at the beginning of `directory`; nothing when there is no whole one.
std::optional<Entry> read_entry(ByteView directory) {
  if (!stands_at(directory, 0, entry_magic) || directory.size() < entry_size) return {};
  const std::size_t name = read<std::uint16_t>(directory, 28);
  const std::size_t extra = read<std::uint16_t>(directory, 30);
  const std::size_t comment = read<std::uint16_t>(directory, 32);
  if (!fits(directory, entry_size, name + extra + comment)) return {};
  Entry entry{entry_size + name + extra + comment, read<std::uint32_t>(directory, 20),
              read<std::uint32_t>(directory, 42)};
  if (entry.compressed == in_extra || entry.header == in_extra) {
    const bool long_size = read<std::uint32_t>(directory, 24) == in_extra;
    read_zip64(directory.subspan(entry_size + name, extra), long_size, entry);
  }
  return entry;
}

/// Behind the local header at `at` with its name and extra field; nothing when there is none.
std::optional<std::size_t> behind_local_header(ByteView payload, std::uint64_t at) {
  if (!stands_at(payload, at, local_magic) || !fits(payload, at, local_size)) return {};
  const std::size_t name = read<std::uint16_t>(payload, at + 26);
  const std::size_t extra = read<std::uint16_t>(payload, at + 28);
  if (!fits(payload, at + local_size, name + extra)) return {};
  return at + local_size + name + extra;
}

/// Whether a local header says nothing impossible: a guard for where no directory confirms it.
bool is_likely(ByteView payload, std::size_t at) {
  if (!behind_local_header(payload, at)) return false;
  const auto version = read<std::uint16_t>(payload, at + 4) & 0xffU;
  const auto flags = read<std::uint16_t>(payload, at + 6);
  const auto method = read<std::uint16_t>(payload, at + 8);
  const std::size_t name = read<std::uint16_t>(payload, at + 26);
  if (version > 63 || (flags & 0xc000U) != 0 || method > 99 || name == 0 || name > 4096) {
    return false;
  }
  const auto letters = stoq::as_chars(payload.subspan(at + local_size, name));
  return std::none_of(letters.begin(), letters.end(),
                      [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

std::size_t comment_end(ByteView payload, std::size_t end, std::size_t limit) {
  const std::size_t comment = read<std::uint16_t>(payload, end + 20);
  return end + end_size + std::min(comment, limit - end - end_size);
}

}  // namespace

/// The directory of `size` bytes that ends at `end` and claims to begin at `offset`.
std::optional<Archives::Place> Archives::place(std::size_t end, std::uint64_t size,
                                               std::uint64_t offset) const {
  if (size >= entry_size && size <= end && stands_at(payload_, end - size, entry_magic)) {
    const std::size_t begin = end - size;
    return Place{begin, end, begin - offset};
  }
  if (offset < end && stands_at(payload_, offset, entry_magic)) return Place{offset, end, 0};
  return {};
}

/// The directory that the zip64 end record before the end record at `end` tells of.
std::optional<Archives::Place> Archives::place64(std::size_t end) const {
  if (end < locator_size + end64_size || !stands_at(payload_, end - locator_size, locator_magic)) {
    return {};
  }
  const auto locator = end - locator_size;
  auto record = read<std::uint64_t>(payload_, locator + 8);
  if (record > locator - end64_size || !stands_at(payload_, record, end64_magic)) {
    record = locator - end64_size;  // something stands before the archive
  }
  if (!stands_at(payload_, record, end64_magic)) return {};
  return place(record, read<std::uint64_t>(payload_, record + 40),
               read<std::uint64_t>(payload_, record + 48));
}

/// The members that have a local header.
std::vector<Archives::Extent> Archives::members(const Place& place) {
  std::vector<Extent> found;
  auto rest = payload_.subspan(place.begin, place.end - place.begin);
  while (const auto entry = read_entry(rest)) {
    rest = rest.subspan(entry->size);
    const auto header = entry->header + place.shift;
    if (const auto data = behind_local_header(payload_, header);
        data && header < place.begin && *data <= place.begin) {
      const auto size = std::min<std::uint64_t>(entry->compressed, place.begin - *data);
      found.push_back({header, *data + size});
    }
    if (entry->size > budget_) break;
    budget_ -= entry->size;
  }
  return found;
}

/// Where the archive begins whose directory stands at `directory`: at its lowest local header, but
/// behind any end record that stands between two members. That is another archive's, of which a
/// directory cannot make itself master.
std::size_t Archives::first_of(std::vector<Extent> members, std::size_t directory) const {
  std::sort(members.begin(), members.end(),
            [](const Extent& a, const Extent& b) { return a.begin > b.begin; });
  auto begin = directory;
  for (const auto& member : members) {
    if (member.end < begin) {
      const auto gap = payload_.subspan(member.end, begin - member.end);
      // From the back: what is looked at is this archive's, or nobody's.
      if (stoq::as_chars(gap).rfind(end_magic) != std::string_view::npos) break;
    }
    begin = member.begin;
  }
  return begin;
}

std::optional<Claim> Archives::at(std::size_t end, std::size_t limit) {
  if (limit > payload_.size() || limit < end_size || end > limit - end_size) return {};
  auto found = place64(end);
  if (!found) {
    found = place(end, read<std::uint32_t>(payload_, end + 12),
                  read<std::uint32_t>(payload_, end + 16));
  }
  if (!found) return {};
  auto extents = members(*found);
  if (extents.empty() && found->shift != 0) {
    found->shift = 0;  // its offsets count what stands before it already
    extents = members(*found);
  }
  if (extents.empty()) return {};
  const auto begin = first_of(std::move(extents), found->begin);
  if (begin == found->begin) return {};
  return Claim{begin, comment_end(payload_, end, limit)};
}

std::optional<Claim> Archives::damaged_at(std::size_t end, std::size_t from,
                                          std::size_t limit) const {
  if (limit > payload_.size() || limit < end_size || end > limit - end_size) return {};
  const auto disks = read<std::uint32_t>(payload_, end + 4);
  const auto here = read<std::uint16_t>(payload_, end + 8);
  const auto total = read<std::uint16_t>(payload_, end + 10);
  if (disks != 0 || here != total || total == 0) return {};
  const auto text = stoq::as_chars(payload_.first(end));
  for (auto at = text.find(local_magic, from); at < text.size();
       at = text.find(local_magic, at + 1)) {
    if (is_likely(payload_, at)) return Claim{at, comment_end(payload_, end, limit), true};
  }
  return {};
}

}  // namespace carve
