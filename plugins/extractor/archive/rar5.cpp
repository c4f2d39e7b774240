#include "rar5.hpp"

#include <cstdint>
#include <string_view>

// https://www.rarlab.com/technote.htm

namespace archive_plugin {

namespace {

constexpr std::string_view signature{"Rar!\x1a\x07\x01\0", 8};
constexpr std::uint64_t file_header = 2;
constexpr std::uint64_t encryption_record = 1;

/// A variable length integer: seven bits a byte, least significant first.
std::optional<std::uint64_t> take_number(stoq::ByteView& view) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !view.empty(); shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(view.front());
    view = view.subspan(1);
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

bool has_encryption_record(stoq::ByteView extra) {
  while (!extra.empty()) {
    const auto size = take_number(extra);
    if (!size || *size > extra.size()) return false;
    auto record = extra.first(static_cast<std::size_t>(*size));
    extra = extra.subspan(record.size());
    if (take_number(record) == encryption_record) return true;
  }
  return false;
}

}  // namespace

struct Rar5Encryption::Header {
  std::uint64_t type = 0;
  stoq::ByteView extra;
};

Rar5Encryption::Rar5Encryption(stoq::ByteView payload) noexcept
    : payload_(payload),
      position_(signature.size()),
      reading_(stoq::fits(payload, 0, signature.size()) &&
               stoq::as_chars(payload.first(signature.size())) == signature) {}

bool Rar5Encryption::next_is_encrypted() {
  while (reading_) {
    const auto header = read_header();
    reading_ = header.has_value();
    if (header && header->type == file_header) return has_encryption_record(header->extra);
  }
  return false;
}

std::optional<Rar5Encryption::Header> Rar5Encryption::read_header() {
  constexpr std::size_t crc_size = 4;
  if (!stoq::fits(payload_, position_, crc_size)) return std::nullopt;
  auto rest = payload_.subspan(position_ + crc_size);
  const auto size = take_number(rest);
  if (!size || *size == 0 || *size > rest.size()) return std::nullopt;
  auto fields = rest.first(static_cast<std::size_t>(*size));
  rest = rest.subspan(fields.size());

  const auto whole = fields;
  const auto type = take_number(fields);
  const auto flags = take_number(fields);
  if (!type || !flags) return std::nullopt;
  const auto extra_size = (*flags & 1) != 0 ? take_number(fields) : 0;
  const auto data_size = (*flags & 2) != 0 ? take_number(fields) : 0;
  if (!extra_size || *extra_size > fields.size() || !data_size || *data_size > rest.size()) {
    return std::nullopt;
  }
  rest = rest.subspan(static_cast<std::size_t>(*data_size));
  position_ = payload_.size() - rest.size();
  return Header{*type, whole.last(static_cast<std::size_t>(*extra_size))};
}

}  // namespace archive_plugin
