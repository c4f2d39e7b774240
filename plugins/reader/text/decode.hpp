/// Turns text of any encoding that ICU knows into UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <stoq/plugin.hpp>

namespace text {

struct Decoded {
  std::string text;          ///< valid UTF-8
  std::size_t replaced = 0;  ///< places that are no text in that encoding: U+FFFD each
  bool whole = true;         ///< false: `most` bytes were not enough
  bool stopped = false;
};

/// Throws stoq::ConfigError when ICU does not know the encoding.
void check_encoding(const std::string& encoding);

/// At most `most` bytes of UTF-8, never more than are needed.
[[nodiscard]] Decoded decode(std::string_view bytes, const std::string& encoding, std::size_t most,
                             const stoq::Request& request);

}  // namespace text
