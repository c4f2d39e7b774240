/// Whether what a run of hex stands for is worth a payload: digests, keys, tables of numbers and
/// UUIDs are hex too.
#pragma once

#include <algorithm>
#include <string_view>

#include <stoq/plugin.hpp>

namespace hex {

/// How many decoded bytes are looked at.
inline constexpr std::size_t sample_size = 192;

/// Whether bytes begin as a known kind of file does.
inline bool has_magic(std::string_view head) {
  using namespace std::string_view_literals;
  constexpr std::string_view magics[] = {"MZ"sv,
                                         "PK\3\4"sv,
                                         "\x7f\x45LF"sv,
                                         "%PDF-"sv,
                                         "{\\rtf"sv,
                                         "GIF8"sv,
                                         "\x89PNG"sv,
                                         "BZh"sv,
                                         "7z\xbc\xaf"sv,
                                         "Rar!"sv,
                                         "MSCF"sv,
                                         "\xff\xd8\xff"sv,
                                         "\x1f\x8b\x08"sv,
                                         "\xfd\x37zXZ"sv,
                                         "\xd0\xcf\x11\xe0"sv,
                                         "\x28\xb5\x2f\xfd"sv,
                                         "\xca\xfe\xba\xbe"sv,
                                         "\1\5\0\0\2\0\0\0"sv,   // an OLE object in RTF
                                         "\1\5\0\0\1\0\0\0"sv};  // a link to one
  return std::any_of(std::begin(magics), std::end(magics),
                     [&](std::string_view magic) { return head.starts_with(magic); });
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
