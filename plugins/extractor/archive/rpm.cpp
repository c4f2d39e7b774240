#include <array>
#include <string>
#include <string_view>

#include "formats.hpp"

// https://refspecs.linuxbase.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/pkgformat.html

namespace archive_plugin {

namespace {

using stoq::Cursor;
using stoq::MalformedInput;

struct Compression {
  std::string_view magic, name;
};
constexpr std::array compressions = {Compression{"\x1f\x8b", ".gz"}, Compression{"BZh", ".bz2"},
                                     Compression{{"\xfd"
                                                  "7zXZ\0",
                                                  6},
                                                 ".xz"},
                                     Compression{"\x28\xb5\x2f\xfd", ".zst"},
                                     Compression{{"\x5d\0\0", 3}, ".lzma"}};

/// Goes past one header structure: magic, count of index entries, size of their store, both.
void skip_header(Cursor& cursor, std::string_view what) {
  constexpr std::size_t entry_size = 16;
  const auto at = cursor.offset();
  if (stoq::as_chars(cursor.take(3)) != "\x8e\xad\xe8") {
    throw MalformedInput("rpm: no " + std::string(what) + " at offset " + std::to_string(at));
  }
  cursor.take(5);  // version and reserved bytes
  const auto entries = cursor.be<std::uint32_t>();
  const auto store = cursor.be<std::uint32_t>();
  cursor.take(std::size_t{entries} * entry_size);
  cursor.take(store);
}

}  // namespace

void extract_rpm(const stoq::Payload& payload, const stoq::Request&, stoq::Children& children) {
  constexpr std::size_t lead_size = 96;
  Cursor cursor(payload.view());
  const auto lead = stoq::as_chars(cursor.take(lead_size));
  if (!lead.starts_with("\xed\xab\xee\xdb")) throw MalformedInput("rpm: no lead");
  skip_header(cursor, "signature");
  cursor.take((8 - cursor.offset() % 8) % 8);
  skip_header(cursor, "header");

  const auto at = cursor.offset();
  auto content = payload.bytes.slice(at, cursor.remaining());
  if (content.empty()) throw MalformedInput("rpm: no payload behind the header");
  std::string name = "payload.cpio";
  for (const auto& [magic, suffix] : compressions) {
    if (stoq::as_chars(content.view()).starts_with(magic)) name += suffix;
  }
  children.declare(1);
  stoq::ChildInfo info;
  info.name = std::move(name);
  info.offset = at;
  children.emit(std::move(content), std::move(info));
}

}  // namespace archive_plugin
