/// Whether a payload is text, by libmagic's rules (file's src/encoding.c), and its text as UTF-8.
/// Stateless; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <stoq/bytes.hpp>

enum class Look : std::uint8_t { binary, text, unsure };

struct Decoded {
  Look look = Look::unsure;
  std::string_view text;  ///< of what is text: in the payload, or in the storage given
};

/// Unsure of what is rare: UTF-7 and UTF-32, EBCDIC, text that NULs follow. `window` is how far
/// libmagic looks.
[[nodiscard]] Decoded decode(stoq::ByteView bytes, std::size_t window, std::string& storage);
