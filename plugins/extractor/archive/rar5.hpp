/// Tells which members of a RAR 5 archive are encrypted: libarchive 3.6 overlooks the record that
/// says so and would bring out noise. Walks the headers in step with the reader.
#pragma once

#include <optional>

#include <stoq/bytes.hpp>

namespace archive_plugin {

class Rar5Encryption {
 public:
  /// `payload` must outlive this object; anything but RAR 5 has no encrypted members here.
  explicit Rar5Encryption(stoq::ByteView payload) noexcept;
  /// Whether the next file in the archive is encrypted. False once the headers make no sense.
  [[nodiscard]] bool next_is_encrypted();

 private:
  struct Header;
  std::optional<Header> read_header();

  stoq::ByteView payload_;
  std::size_t position_ = 0;
  bool reading_ = false;
};

}  // namespace archive_plugin
