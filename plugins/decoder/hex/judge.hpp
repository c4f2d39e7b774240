/// Whether what a run of hex stands for is worth a payload: digests, keys, tables of numbers and
/// UUIDs are hex too.
#pragma once

#include <algorithm>
#include <string_view>

#include <stoq/plugin.hpp>

#include "magic.hpp"

namespace hex {

/// How many decoded bytes are looked at.
inline constexpr std::size_t sample_size = 192;

/// Whether bytes begin as a known kind of file does.
inline bool has_magic(std::string_view head) {
  using namespace std::string_view_literals;
  constexpr std::string_view more[] = {"MZ"sv, "\xca\xfe\xba\xbe"sv,
                                       "\1\5\0\0\2\0\0\0"sv,   // an OLE object in RTF
                                       "\1\5\0\0\1\0\0\0"sv};  // a link to one
  return stoq::common::has_magic(head) ||
         std::any_of(std::begin(more), std::end(more),
                     [&](std::string_view magic) { return head.starts_with(magic); });
}

/// Whether so many bytes are what MD5, SHA-1 or SHA-2 gives.
inline bool is_digest(std::size_t bytes) {
  constexpr std::size_t sizes[] = {16, 20, 28, 32, 48, 64};
  return std::find(std::begin(sizes), std::end(sizes), bytes) != std::end(sizes);
}

/// Whether bytes are text: visible ASCII and white space, most of it letters and blanks.
inline bool is_text(std::string_view head) {
  std::size_t wordy = 0;
  for (const auto c : head) {
    if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c > '~') return false;
    wordy += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' ? 1U : 0U;
  }
  return wordy * 8 >= head.size() * 5;
}

}  // namespace hex
