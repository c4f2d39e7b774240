/// How files begin that are worth finding behind an encoding.
#pragma once

#include <algorithm>
#include <string_view>

namespace stoq::common {

/// Whether bytes begin as a common kind of file does. Only what random bytes or words hardly ever
/// begin with: two letters such as MZ are for the caller to judge.
[[nodiscard]] inline bool has_magic(std::string_view head) {
  using namespace std::string_view_literals;
  constexpr std::string_view magics[] = {"PK\3\4"sv,
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
                                         "\x28\xb5\x2f\xfd"sv};
  return std::any_of(std::begin(magics), std::end(magics),
                     [&](std::string_view magic) { return head.starts_with(magic); });
}

}  // namespace stoq::common
