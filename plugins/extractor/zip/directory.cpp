#include "directory.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "layout.hpp"

namespace unzip {
namespace {

using namespace stoq::common::zip;

using stoq::ByteView;
using stoq::Cursor;
using stoq::fits;

/// Where the directory is, and what must be added to the offsets in it (modulo 2^64).
struct Place {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::uint64_t shift = 0;
};

/// The directory of `size` bytes that ends at `end` and claims to begin at `offset`.
std::optional<Place> place(ByteView archive, std::size_t end, std::uint64_t size,
                           std::uint64_t offset) {
  if (size <= end && (size == 0 || stands_at(archive, end - size, entry_magic))) {
    const std::size_t begin = end - size;
    return Place{begin, end, begin - offset};
  }
  if (offset < end && stands_at(archive, offset, entry_magic)) {
    return Place{offset, end, 0};
  }
  return std::nullopt;
}

/// The zip64 end record that belongs to the end record at `end`, if there is one.
std::optional<Place> place64(ByteView archive, std::size_t end) {
  if (end < locator_size + end64_size || !stands_at(archive, end - locator_size, locator_magic)) {
    return std::nullopt;
  }
  const std::size_t locator = end - locator_size;
  Cursor fields(archive.subspan(locator + 8, 8));
  auto record = fields.le<std::uint64_t>();
  if (record > locator - end64_size || !stands_at(archive, record, end64_magic)) {
    record = locator - end64_size;
  }
  if (!stands_at(archive, record, end64_magic)) return std::nullopt;
  Cursor sizes(archive.subspan(record + 40, 16));
  const auto size = sizes.le<std::uint64_t>();
  const auto offset = sizes.le<std::uint64_t>();
  return place(archive, record, size, offset);
}

std::optional<Place> place_by_end(ByteView archive, std::size_t end) {
  if (const auto found = place64(archive, end)) return found;
  Cursor fields(archive.subspan(end + 12, 8));
  const auto size = fields.le<std::uint32_t>();
  const auto offset = fields.le<std::uint32_t>();
  return place(archive, end, size, offset);
}

/// Looks for the end record from the back: a comment or anything else may follow it.
std::optional<Place> find_directory(ByteView archive) {
  constexpr int most_tries = 16;
  const auto text = stoq::as_chars(archive);
  std::size_t from = std::string_view::npos;
  for (int tries = 0; tries < most_tries; ++tries) {
    const auto end = text.rfind(end_magic, from);
    if (end == std::string_view::npos) return std::nullopt;
    if (fits(archive, end, end_size)) {
      if (auto found = place_by_end(archive, end)) return found;
    }
    if (end == 0) return std::nullopt;
    from = end - 1;
  }
  return std::nullopt;
}

void read_zip64(Cursor field, Entry& entry, std::uint64_t& header) {
  const auto take = [&field](std::uint64_t& value) {
    if (value == in_extra && field.remaining() >= 8) value = field.le<std::uint64_t>();
  };
  take(entry.size);
  take(entry.compressed);
  take(header);
}

void read_aes(Cursor field, Entry& entry) {
  if (entry.method != 99 || field.remaining() < 7) return;
  entry.aes_version = field.le<std::uint16_t>();
  field.take(2);  // vendor, always "AE"
  entry.aes_strength = field.le<std::uint8_t>();
  entry.method = field.le<std::uint16_t>();
}

void read_extra(ByteView extra, Entry& entry, std::uint64_t& header) {
  Cursor fields(extra);
  while (fields.remaining() >= 4) {
    const auto id = fields.le<std::uint16_t>();
    const auto size = fields.le<std::uint16_t>();
    if (size > fields.remaining()) return;
    const Cursor field(fields.take(size));
    if (id == 0x0001) read_zip64(field, entry, header);
    if (id == 0x9901) read_aes(field, entry);
  }
}

Entry read_entry(Cursor& directory, ByteView archive, std::uint64_t shift) {
  Entry entry;
  directory.take(8);  // magic, versions
  entry.flags = directory.le<std::uint16_t>();
  entry.method = directory.le<std::uint16_t>();
  entry.time = directory.le<std::uint16_t>();
  entry.date = directory.le<std::uint16_t>();
  entry.crc = directory.le<std::uint32_t>();
  entry.compressed = directory.le<std::uint32_t>();
  entry.size = directory.le<std::uint32_t>();
  const auto name_size = directory.le<std::uint16_t>();
  const auto extra_size = directory.le<std::uint16_t>();
  const auto comment_size = directory.le<std::uint16_t>();
  directory.take(8);  // disk, attributes
  std::uint64_t header = directory.le<std::uint32_t>();
  entry.name = stoq::as_chars(directory.take(name_size));
  read_extra(directory.take(extra_size), entry, header);
  directory.take(comment_size);

  header += shift;
  if (header > archive.size() || !fits(archive, header, local_size) ||
      !stands_at(archive, header, local_magic)) {
    return entry;
  }
  entry.header = header;
  Cursor method(archive.subspan(entry.header + 8, 2));
  entry.local_method = method.le<std::uint16_t>();
  Cursor lengths(archive.subspan(entry.header + 26, 4));
  const std::size_t name = lengths.le<std::uint16_t>();
  const std::size_t extra = lengths.le<std::uint16_t>();
  if (fits(archive, entry.header + local_size, name + extra)) {
    entry.data = entry.header + local_size + name + extra;
  }
  return entry;
}

Directory read_entries(ByteView archive, const Place& place) {
  Directory directory;
  directory.begin = place.begin;
  Cursor cursor(archive.subspan(place.begin, place.end - place.begin));
  while (stands_at(archive, place.begin + cursor.offset(), entry_magic)) {
    if (cursor.remaining() < entry_size) break;
    try {
      directory.entries.push_back(read_entry(cursor, archive, place.shift));
    } catch (const stoq::MalformedInput&) {
      break;  // a name that runs past the directory's end: said below
    }
  }
  // What follows may be a signature (4.3.13), nothing else.
  if (cursor.remaining() > 0 &&
      !stands_at(archive, place.begin + cursor.offset(), std::string_view("PK\5\5", 4))) {
    directory.problem = "central directory breaks off after " +
                        std::to_string(directory.entries.size()) + " members, at offset " +
                        std::to_string(place.begin + cursor.offset());
  }
  return directory;
}

bool any_found(const Directory& directory) noexcept {
  return std::any_of(directory.entries.begin(), directory.entries.end(),
                     [](const Entry& entry) { return entry.data != nothing; });
}

/// Marks every entry that begins inside the bytes of one before it: members of an honest archive
/// stand one behind the other, those of a bomb share theirs. Says of the others how far they reach
/// at most.
void mark_overlaps(Directory& directory, std::size_t archive_size) {
  std::vector<std::pair<std::size_t, std::size_t>> order;  // local header, index
  order.reserve(directory.entries.size());
  for (std::size_t i = 0; i < directory.entries.size(); ++i) {
    if (directory.entries[i].data != nothing) order.emplace_back(directory.entries[i].header, i);
  }
  std::sort(order.begin(), order.end());
  std::size_t end = 0;
  std::size_t owner = nothing;
  for (const auto& [header, index] : order) {
    auto& entry = directory.entries[index];
    if (header < end) {
      entry.overlaps = owner;
      continue;
    }
    if (owner != nothing) directory.entries[owner].room_end = header;
    const auto room = archive_size - entry.data;
    // A length that runs past the end is a lie: it claims no bytes of others.
    end = entry.data + (entry.compressed <= room ? entry.compressed : 0);
    entry.room_end = directory.begin >= end ? directory.begin : archive_size;
    owner = index;
  }
  directory.data_end = end;
}

}  // namespace

std::optional<Directory> read_directory(ByteView archive) {
  auto found = find_directory(archive);
  if (!found) return std::nullopt;
  auto directory = read_entries(archive, *found);
  if (!any_found(directory) && found->shift != 0) {
    // Something was put in front and the directory knows it already.
    found->shift = 0;
    directory = read_entries(archive, *found);
  }
  if (!any_found(directory) && !directory.entries.empty()) return std::nullopt;
  mark_overlaps(directory, archive.size());
  return directory;
}

ByteView data_of(ByteView archive, const Entry& entry) noexcept {
  if (entry.data > archive.size()) return {};
  const auto rest = archive.subspan(entry.data);
  return rest.first(std::min<std::uint64_t>(rest.size(), entry.compressed));
}

std::string describe_method(std::uint16_t method) {
  constexpr std::array<std::pair<std::uint16_t, const char*>, 19> names = {{
      {0, "stored"},   {1, "shrink"},  {2, "reduce 1"}, {3, "reduce 2"},  {4, "reduce 3"},
      {5, "reduce 4"}, {6, "implode"}, {8, "deflate"},  {9, "deflate64"}, {10, "PKWARE implode"},
      {12, "bzip2"},   {14, "LZMA"},   {16, "CMPSC"},   {18, "TERSE"},    {19, "LZ77"},
      {93, "zstd"},    {95, "XZ"},     {97, "WavPack"}, {98, "PPMd"},
  }};
  const auto* const found = std::find_if(names.begin(), names.end(),
                                         [=](const auto& each) { return each.first == method; });
  return "method " + std::to_string(method) +
         (found == names.end() ? std::string{} : " (" + std::string(found->second) + ")");
}

}  // namespace unzip
