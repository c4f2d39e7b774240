#include "magic_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <magic.h>

namespace {

constexpr std::uint32_t magic_number = 0xf11e041c;

/// Where the fields of an entry are in every known layout.
constexpr std::size_t relation_at = 4, string_size_at = 5, type_at = 6, pointer_type_at = 7;
constexpr std::size_t pointer_operation_at = 8, mask_operation_at = 9;
constexpr std::size_t offset_at = 12, pointer_operand_at = 16, mask_at = 24, value_at = 32,
                      value_size = 128, guid_size = 16;
constexpr std::size_t description_at = 160, mime_at = 224, mime_size = 80;

template <class T>
T field(stoq::ByteView bytes, std::size_t offset, std::size_t size = sizeof(T)) {
  T value{};
  std::memcpy(&value, stoq::slice(bytes, offset, size).data(), size);  // as libmagic maps it
  return value;
}

/// Whether a file of magic's source text has no magic in it (Debian's /etc/magic).
bool is_blank(const std::string& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find_first_not_of(" \t\r");
    if (first != line.npos && line[first] != '#') return false;
  }
  return true;
}

/// The one compiled file that libmagic would load, or "" and why not.
std::string compiled_file(const std::string& paths, std::string& why) {
  namespace fs = std::filesystem;
  std::string found;
  for (std::size_t at = 0; at <= paths.size();) {
    const auto end = std::min(paths.find(':', at), paths.size());
    auto path = paths.substr(at, end - at);
    at = end + 1;
    std::error_code ignored;
    const auto compiled = path.ends_with(".mgc") ? path : path + ".mgc";
    if (fs::is_regular_file(compiled, ignored)) {
      why = found.empty() ? "" : "there are two databases, " + found + " and " + compiled;
      if (!found.empty()) return {};
      found = compiled;
    } else if (fs::exists(path, ignored) &&
               (!fs::is_regular_file(path, ignored) || !is_blank(path))) {
      why = path + " is not compiled";
      return {};
    }
  }
  if (found.empty()) why = "there is no compiled database in " + paths;
  return found;
}

std::vector<std::byte> read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  constexpr std::uintmax_t most = std::uintmax_t{256} << 20;
  if (failed || size > most) return {};
  std::vector<std::byte> bytes(static_cast<std::size_t>(size));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file) bytes.clear();
  return bytes;
}

}  // namespace

const MagicFile::Layout* MagicFile::layout_of(std::uint32_t version) noexcept {
  // file's src/file.h: VERSIONNO and struct magic of 5.44 (bookworm) and 5.46 (trixie).
  static constexpr std::array layouts{Layout{18, 376, 0, 2, 2, 1}, Layout{20, 432, 3, 1, 0, 2}};
  const auto* const known = std::find_if(layouts.begin(), layouts.end(),
                                         [&](const auto& l) { return l.version == version; });
  return known == layouts.end() ? nullptr : known;
}

std::unique_ptr<MagicFile> MagicFile::read(const std::string& path, std::string& why) {
  const char* standard = ::magic_getpath(path.empty() ? nullptr : path.c_str(), 0);
  const auto file = compiled_file(standard != nullptr ? standard : "", why);
  if (file.empty()) return nullptr;
  auto bytes = read_all(file);
  if (!stoq::fits(bytes, 0, 16) || field<std::uint32_t>(bytes, 0) != magic_number) {
    why = file + " is not of this machine's kind";
    return nullptr;
  }
  const auto version = field<std::uint32_t>(bytes, 4);
  const auto* layout = layout_of(version);
  const std::size_t rules = field<std::uint32_t>(bytes, 8);
  const std::size_t named = field<std::uint32_t>(bytes, 12);
  if (layout == nullptr || std::endian::native != std::endian::little ||
      bytes.size() != layout->size * (1 + rules + named)) {
    why = file + " has a layout that is not known here (number " + std::to_string(version) + ")";
    return nullptr;
  }
  return std::unique_ptr<MagicFile>(new MagicFile(*layout, std::move(bytes), rules));
}

MagicFile::MagicFile(const Layout& layout, std::vector<std::byte> bytes, std::size_t rules)
    : layout_(&layout), bytes_(std::move(bytes)), rules_(rules) {
  const auto start = layout.size * (1 + rules_);
  const auto rest = stoq::slice(bytes_, start, bytes_.size() - start);
  const auto count = static_cast<std::uint32_t>(rest.size() / layout.size);
  named_ = head(0);
  named_.reserve(named_.size() + rest.size());
  std::memcpy(&named_[12], &count, sizeof(count));
  named_.insert(named_.end(), rest.begin(), rest.end());
}

MagicEntry MagicFile::entry(std::size_t index) const {
  const auto bytes = lines(index, 1);
  MagicEntry entry;
  entry.level = field<std::uint16_t>(bytes, layout_->level, layout_->level_size);
  entry.flags = field<std::uint16_t>(bytes, layout_->flags, layout_->flags_size);
  entry.relation = field<char>(bytes, relation_at);
  entry.type = field<std::uint8_t>(bytes, type_at);
  entry.mask_operation = field<std::uint8_t>(bytes, mask_operation_at);
  entry.pointer_type = field<std::uint8_t>(bytes, pointer_type_at);
  entry.pointer_operation = field<std::uint8_t>(bytes, pointer_operation_at);
  entry.pointer_operand = field<std::int32_t>(bytes, pointer_operand_at);
  entry.offset = field<std::int32_t>(bytes, offset_at);
  entry.mask = field<std::uint64_t>(bytes, mask_at);
  entry.range = field<std::uint32_t>(bytes, mask_at);
  entry.modifiers = field<std::uint32_t>(bytes, mask_at + 4);
  entry.number = field<std::uint64_t>(bytes, value_at);
  const std::size_t string_size = field<std::uint8_t>(bytes, string_size_at);
  entry.string = stoq::as_chars(bytes.subspan(value_at, std::min(string_size, value_size)));
  entry.guid = stoq::as_chars(bytes.subspan(value_at, guid_size));
  entry.tells = bytes[description_at] != std::byte{0} || bytes[mime_at] != std::byte{0};
  const auto mime = stoq::as_chars(bytes.subspan(mime_at, mime_size));
  entry.mime_type = mime.substr(0, mime.find('\0'));
  return entry;
}

stoq::ByteView MagicFile::lines(std::size_t first, std::size_t count) const {
  return stoq::slice(bytes_, layout_->size * (1 + first), layout_->size * count);
}

std::vector<std::byte> MagicFile::head(std::size_t count) const {
  std::vector<std::byte> head(layout_->size);
  const std::array<std::uint32_t, 4> fields{magic_number, layout_->version,
                                            static_cast<std::uint32_t>(count), 0};
  std::memcpy(head.data(), fields.data(), sizeof(fields));
  return head;
}
