#include "names.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace decompress {
namespace {

struct Suffix {
  std::string_view compressed, plain;
};

constexpr std::array<Suffix, 21> suffixes = {{
    {".gz", ""},        {".bz2", ""},     {".xz", ""},       {".lzma", ""},     {".lz", ""},
    {".zst", ""},       {".lz4", ""},     {".z", ""},        {".bz", ""},       {".zz", ""},
    {".zlib", ""},      {".tgz", ".tar"}, {".taz", ".tar"},  {".tbz", ".tar"},  {".tbz2", ".tar"},
    {".txz", ".tar"},   {".tlz", ".tar"}, {".tzst", ".tar"}, {".tlz4", ".tar"}, {".svgz", ".svg"},
    {".cpgz", ".cpio"},
}};

bool ends_with_ignoring_case(std::string_view text, std::string_view end) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return text.size() > end.size() && std::equal(end.rbegin(), end.rend(), text.rbegin(),
                                                [=](char a, char b) { return a == lower(b); });
}

std::string_view without_folders(std::string_view name) noexcept {
  return name.substr(name.find_last_of('/') + 1);
}

}  // namespace

std::string gzip_name(stoq::ByteView bytes) {
  constexpr unsigned has_extra = 4;
  constexpr unsigned has_name = 8;
  if (bytes.size() < 12) return {};
  const auto flags = std::to_integer<unsigned>(bytes[3]);
  if ((flags & has_name) == 0) return {};
  auto rest = stoq::as_chars(bytes.subspan(10));
  if ((flags & has_extra) != 0) {
    stoq::Cursor size(bytes.subspan(10, 2));
    const std::size_t count = size.le<std::uint16_t>();
    if (count + 2 > rest.size()) return {};
    rest.remove_prefix(count + 2);
  }
  const auto end = rest.find('\0');
  if (end == rest.npos || end == 0) return {};
  return std::string(without_folders(rest.substr(0, end)));
}

std::string name_without_suffix(std::string_view name) {
  name = without_folders(name);
  for (const auto& [compressed, plain] : suffixes) {
    if (!ends_with_ignoring_case(name, compressed)) continue;
    std::string stem(name.substr(0, name.size() - compressed.size()));
    return stem.append(plain);
  }
  return {};
}

}  // namespace decompress
