#include "sevenzip_header.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

#include "inflate.hpp"

namespace archive_plugin::sevenzip {

namespace {

using stoq::ByteView;
using stoq::MalformedInput;

constexpr std::size_t start_size = 32;
constexpr std::size_t most_coders = 32;  // as in 7-Zip
// What they are held in is larger than the few bytes they may be told in.
constexpr std::size_t most_members = std::size_t{1} << 21U;
constexpr std::size_t most_folders = std::size_t{1} << 18U;
constexpr std::string_view magic("7z\xbc\xaf\x27\x1c", 6);

enum Id : std::uint64_t {
  id_end = 0x00,
  id_header = 0x01,
  id_archive_properties = 0x02,
  id_additional_streams = 0x03,
  id_main_streams = 0x04,
  id_files = 0x05,
  id_pack_info = 0x06,
  id_unpack_info = 0x07,
  id_substreams = 0x08,
  id_size = 0x09,
  id_crc = 0x0a,
  id_folder = 0x0b,
  id_unpack_size = 0x0c,
  id_part_count = 0x0d,
  id_empty_stream = 0x0e,
  id_empty_file = 0x0f,
  id_anti = 0x10,
  id_names = 0x11,
  id_attributes = 0x15,
  id_encoded_header = 0x17,
};

class Parser {
 public:
  Parser(ByteView header, ByteView archive) noexcept : in_(header), archive_(archive) {}

  std::uint64_t number() {
    const auto first = byte();
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) {
      const unsigned mask = 0x80U >> i;
      if ((first & mask) == 0) return value | std::uint64_t{first & (mask - 1)} << (8 * i);
      value |= std::uint64_t{byte()} << (8 * i);
    }
    return value;
  }
  unsigned byte() { return in_.le<std::uint8_t>(); }

  /// A count of things that take a byte each at least.
  std::size_t count(const char* of_what, std::size_t most = most_members) {
    const auto value = number();
    if (value > in_.remaining()) fail(std::to_string(value) + " " + of_what);
    if (value > most) {
      throw stoq::Unsupported("7z: " + std::to_string(value) + " " + of_what +
                              ", more than can be held");
    }
    return value;
  }

  std::vector<bool> bits(std::size_t how_many) {
    std::vector<bool> all;
    unsigned mask = 0;
    unsigned held = 0;
    for (std::size_t i = 0; i < how_many; ++i, mask >>= 1U) {
      if (mask == 0) {
        held = byte();
        mask = 0x80;
      }
      all.push_back((held & mask) != 0);
    }
    return all;
  }
  std::vector<bool> bits_or_all(std::size_t how_many) {
    return byte() != 0 ? std::vector<bool>(how_many, true) : bits(how_many);
  }
  std::vector<std::optional<std::uint32_t>> digests(std::size_t how_many) {
    std::vector<std::optional<std::uint32_t>> all(how_many);
    const auto defined = bits_or_all(how_many);
    for (std::size_t i = 0; i < how_many; ++i) {
      if (defined[i]) all[i] = in_.le<std::uint32_t>();
    }
    return all;
  }

  ByteView property() {
    const auto size = number();
    if (size > in_.remaining()) fail("a property of " + std::to_string(size) + " bytes");
    return in_.take(size);
  }
  void skip_property() { (void)property(); }

  void expect(std::uint64_t id, const char* what) {
    const auto found = number();
    if (found != id) fail("id " + std::to_string(found) + " where " + what + " belongs");
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw MalformedInput("7z: header makes no sense: " + what + ", at its offset " +
                         std::to_string(in_.offset()));
  }

  std::vector<Folder> streams();
  std::vector<File> files();

 private:
  void pack_info();
  void unpack_info();
  void folder(Folder& folder);
  void coder(Folder& folder);
  void packed_inputs(Folder& folder);
  void give_packed();
  void substreams();
  void part_digests();
  void names(std::vector<File>& files);
  void attributes(std::vector<File>& files);

  stoq::Cursor in_;
  ByteView archive_;
  std::uint64_t pack_at_ = 0;
  std::vector<std::uint64_t> pack_sizes_;
  std::vector<Folder> folders_;
};

void Parser::pack_info() {
  pack_at_ = number();
  const auto how_many = count("packed streams");
  for (auto id = number(); id != id_end; id = number()) {
    if (id == id_size) {
      pack_sizes_.clear();
      for (std::size_t i = 0; i < how_many; ++i) pack_sizes_.push_back(number());
    } else if (id == id_crc) {
      digests(how_many);  // members have their own
    } else {
      skip_property();
    }
  }
  if (pack_sizes_.size() != how_many) fail("packed streams without sizes");
}

void Parser::coder(Folder& folder) {
  Coder coder;
  const auto flags = byte();
  if ((flags & 0xc0) != 0) fail("reserved bits of a coder are set");
  const std::size_t id_size_in_bytes = flags & 0x0f;
  if (id_size_in_bytes > 8) fail("a coder's id of " + std::to_string(id_size_in_bytes) + " bytes");
  for (const auto part : in_.take(id_size_in_bytes)) {
    coder.id = coder.id << 8U | std::to_integer<std::uint64_t>(part);
  }
  if ((flags & 0x10) != 0) {
    coder.inputs = static_cast<std::size_t>(std::min<std::uint64_t>(number(), most_coders + 1));
    if (number() != 1) fail("a coder of more than one output");
  }
  if (coder.inputs == 0 || coder.inputs > most_coders) fail("a coder's number of inputs");
  if ((flags & 0x20) != 0) {
    const auto data = property();
    coder.properties.assign(data.begin(), data.end());
  }
  folder.coders.push_back(std::move(coder));
}

void Parser::folder(Folder& folder) {
  const auto coders = number();
  if (coders == 0 || coders > most_coders) fail(std::to_string(coders) + " coders in a folder");
  std::size_t inputs = 0;
  for (std::uint64_t i = 0; i < coders; ++i) {
    coder(folder);
    folder.coders.back().first_input = inputs;
    inputs += folder.coders.back().inputs;
  }
  const std::size_t outputs = folder.coders.size();
  if (inputs > most_coders) fail("a folder of " + std::to_string(inputs) + " inputs");
  folder.bound.resize(inputs);
  folder.packed.resize(inputs);
  std::vector<bool> used(outputs);
  for (std::size_t i = 0; i + 1 < outputs; ++i) {
    const auto input = number();
    const auto output = number();
    if (input >= inputs || output >= outputs || used[output] || folder.bound[input]) {
      fail("coders are bound to none, or twice");
    }
    folder.bound[input] = static_cast<std::size_t>(output);
    used[output] = true;
  }
  folder.last = static_cast<std::size_t>(std::find(used.begin(), used.end(), false) - used.begin());
  packed_inputs(folder);
}

/// Which input reads which packed stream: told when there is more than one.
void Parser::packed_inputs(Folder& folder) {
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < folder.bound.size(); ++i) {
    if (!folder.bound[i]) free.push_back(i);
  }
  if (free.empty()) fail("a folder that reads nothing");
  if (free.size() > 1) {
    for (auto& input : free) {
      const auto told = number();
      if (told >= folder.bound.size() || folder.bound[told]) fail("a packed stream for no input");
      input = told;
    }
  }
  folder.order = std::move(free);
}

/// Packed streams stand one after the other, in the order of the folders that read them.
void Parser::give_packed() {
  std::size_t next = 0;
  std::uint64_t at = start_size;
  at = pack_at_ > archive_.size() ? std::uint64_t{archive_.size()} + 1 : at + pack_at_;
  for (auto& folder : folders_) {
    for (const auto input : folder.order) {
      if (next == pack_sizes_.size()) fail("fewer packed streams than folders need");
      const auto size = pack_sizes_[next++];
      if (at > archive_.size() || size > archive_.size() - at) {
        folder.fault = "its data runs past the end of the archive";
        at = std::uint64_t{archive_.size()} + 1;
        continue;
      }
      folder.packed[input] = archive_.subspan(at, size);
      at += size;
    }
  }
}

void Parser::unpack_info() {
  expect(id_folder, "the list of folders");
  folders_.resize(count("folders", most_folders));
  if (byte() != 0) throw stoq::Unsupported("7z: folders are described outside of the header");
  for (auto& each : folders_) folder(each);
  expect(id_unpack_size, "the list of sizes");
  for (auto& each : folders_) {
    for (auto& coder : each.coders) coder.size = number();
  }
  for (auto id = number(); id != id_end; id = number()) {
    if (id != id_crc) {
      skip_property();
      continue;
    }
    const auto all = digests(folders_.size());
    for (std::size_t i = 0; i < all.size(); ++i) folders_[i].crc = all[i];
  }
  give_packed();
  for (auto& each : folders_) each.parts = {{each.size(), each.crc}};
}

void Parser::substreams() {
  auto id = number();
  if (id == id_part_count) {
    std::size_t sum = 0;
    for (auto& each : folders_) {
      const auto parts = count("members in a folder");
      sum += parts;
      // All but the first have a size of a byte at least.
      if (sum > in_.remaining() + folders_.size()) fail("more members than their sizes");
      each.parts.assign(parts, {});
    }
    id = number();
  }
  for (auto& each : folders_) {
    std::uint64_t left = each.size();
    for (std::size_t i = 0; i < each.parts.size(); ++i) {
      const bool last = i + 1 == each.parts.size();
      if (!last && id != id_size) fail("members without sizes");
      const auto size = last ? left : number();
      if (size > left) fail("members larger than their folder");
      each.parts[i].size = size;
      left -= size;
    }
  }
  if (id == id_size) id = number();
  for (; id != id_end; id = number()) {
    if (id == id_crc) {
      part_digests();
    } else {
      skip_property();
    }
  }
}

/// Checksums of all members but those that are a whole folder which has one.
void Parser::part_digests() {
  std::vector<Part*> unknown;
  for (auto& each : folders_) {
    if (each.parts.size() == 1 && each.crc) continue;
    for (auto& part : each.parts) unknown.push_back(&part);
  }
  const auto all = digests(unknown.size());
  for (std::size_t i = 0; i < all.size(); ++i) unknown[i]->crc = all[i];
}

std::vector<Folder> Parser::streams() {
  for (auto id = number(); id != id_end; id = number()) {
    switch (id) {
      case id_pack_info:
        pack_info();
        break;
      case id_unpack_info:
        unpack_info();
        break;
      case id_substreams:
        substreams();
        for (auto& each : folders_) {
          if (each.parts.size() == 1 && each.crc) each.parts[0].crc = each.crc;
        }
        break;
      default:
        fail("id " + std::to_string(id) + " among the streams");
    }
  }
  return std::move(folders_);
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto put = [&text](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

/// UTF-16 up to its zero, as UTF-8; half a surrogate pair becomes the replacement character.
void Parser::names(std::vector<File>& files) {
  constexpr std::uint32_t replacement = 0xfffd;
  if (byte() != 0) throw stoq::Unsupported("7z: names stand outside of the header");
  const auto is_high = [](std::uint32_t unit) { return unit >= 0xd800 && unit < 0xdc00; };
  const auto is_low = [](std::uint32_t unit) { return unit >= 0xdc00 && unit < 0xe000; };
  for (auto& file : files) {
    std::uint32_t high = 0;
    for (std::uint32_t unit = in_.le<std::uint16_t>(); unit != 0; unit = in_.le<std::uint16_t>()) {
      if (high != 0 && is_low(unit)) {
        append_utf8(file.name, 0x10000 + ((high - 0xd800) << 10U) + (unit - 0xdc00));
        high = 0;
        continue;
      }
      if (high != 0) append_utf8(file.name, replacement);
      high = is_high(unit) ? unit : 0;
      if (high == 0) append_utf8(file.name, is_low(unit) ? replacement : unit);
    }
    if (high != 0) append_utf8(file.name, replacement);
  }
}

void Parser::attributes(std::vector<File>& files) {
  constexpr std::uint32_t has_mode = 0x8000;  // the upper half is st_mode
  constexpr std::uint32_t type_mask = 0xf0000000;
  constexpr std::uint32_t regular = 0x80000000;
  constexpr std::uint32_t directory = 0x40000000;
  const auto defined = bits_or_all(files.size());
  if (byte() != 0) return;  // described elsewhere: all are files
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto value = defined[i] ? in_.le<std::uint32_t>() : 0;
    const auto type = value & type_mask;
    if ((value & has_mode) == 0 || type == 0 || type == regular) continue;
    // What has data is no directory, whatever it says.
    if (type != directory) files[i].kind = File::Kind::special;
  }
}

std::vector<File> Parser::files() {
  std::vector<File> files(count("files"));
  std::vector<bool> empty_stream(files.size());
  std::vector<bool> empty_file;
  std::vector<bool> anti;
  std::size_t empties = 0;
  for (auto id = number(); id != id_end; id = number()) {
    Parser part(property(), archive_);
    if (id == id_empty_stream) {
      empty_stream = part.bits(files.size());
      empties =
          static_cast<std::size_t>(std::count(empty_stream.begin(), empty_stream.end(), true));
    } else if (id == id_empty_file) {
      empty_file = part.bits(empties);
    } else if (id == id_anti) {
      anti = part.bits(empties);
    } else if (id == id_names) {
      part.names(files);
    } else if (id == id_attributes) {
      part.attributes(files);
    }
  }
  empty_file.resize(empties);
  anti.resize(empties);
  for (std::size_t i = 0, empty = 0; i < files.size(); ++i) {
    if (!empty_stream[i]) continue;
    files[i].has_data = false;
    if (!empty_file[empty]) files[i].kind = File::Kind::directory;
    if (anti[empty]) files[i].kind = File::Kind::special;
    ++empty;
  }
  return files;
}

}  // namespace

bool is_7z(ByteView archive) noexcept { return stoq::as_chars(archive).starts_with(magic); }

Start read_start(ByteView archive) {
  stoq::Cursor in(archive);
  in.take(magic.size() + 2);
  const auto crc = in.le<std::uint32_t>();
  const auto fields = in.take(start_size - in.offset());
  if (stoq::common::crc32(fields) != crc) {
    throw MalformedInput("7z: checksum of the first 32 bytes is wrong");
  }
  stoq::Cursor start(fields);
  const auto at = start.le<std::uint64_t>();
  const auto size = start.le<std::uint64_t>();
  const auto header_crc = start.le<std::uint32_t>();
  const std::uint64_t behind = archive.size() - start_size;
  if (at <= behind && size <= behind - at) {
    return {start_size + static_cast<std::size_t>(at), static_cast<std::size_t>(size), header_crc};
  }
  auto fault = "7z: header of " + std::to_string(size) + " bytes lies " + std::to_string(at) +
               " behind the start, past the end of " + std::to_string(archive.size());
  if (at < behind) {
    // The checksum knows better: libarchive goes by it too.
    const auto rest = archive.subspan(start_size + static_cast<std::size_t>(at));
    if (stoq::common::crc32(rest) == header_crc) {
      return {start_size + static_cast<std::size_t>(at), rest.size(), header_crc, std::move(fault)};
    }
  }
  throw MalformedInput(fault + ": cut short, or the first of several volumes");
}

bool is_encoded(ByteView header) noexcept {
  return !header.empty() && std::to_integer<unsigned>(header[0]) == id_encoded_header;
}

std::vector<Folder> read_encoded(ByteView header, ByteView archive) {
  Parser parser(header, archive);
  parser.expect(id_encoded_header, "that of a packed header");
  auto folders = parser.streams();
  if (folders.empty()) parser.fail("a packed header without a folder");
  return folders;
}

Header read_header(ByteView header, ByteView archive) {
  Parser parser(header, archive);
  Header result;
  parser.expect(id_header, "that of a header");
  for (auto id = parser.number(); id != id_end; id = parser.number()) {
    switch (id) {
      case id_archive_properties:
        for (auto property = parser.number(); property != id_end; property = parser.number()) {
          parser.skip_property();
        }
        break;
      case id_additional_streams:
        throw stoq::Unsupported("7z: part of the header stands in additional streams");
      case id_main_streams:
        result.folders = parser.streams();
        break;
      case id_files:
        result.files = parser.files();
        break;
      default:
        parser.fail("id " + std::to_string(id) + " in the header");
    }
  }
  return result;
}

}  // namespace archive_plugin::sevenzip
