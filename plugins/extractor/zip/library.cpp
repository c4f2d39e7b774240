#include "library.hpp"

#include <algorithm>
#include <array>
#include <concepts>
#include <memory>
#include <new>
#include <utility>

#include <zip.h>

#include "libarchive_reader.hpp"

namespace unzip {
namespace {

using stoq::ByteView;

/// Sizes are written as 32 bits; no child may be that large anyway.
constexpr std::uint64_t most_size = 0xfffffffe;

class Writer {
 public:
  template <std::unsigned_integral T>
  Writer& le(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_.push_back(static_cast<char>(std::uint64_t{value} >> (8 * i) & 0xffU));
    }
    return *this;
  }
  Writer& text(std::string_view text) {
    bytes_ += text;
    return *this;
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// The headers around one member's data. The member is called "m", whatever it was called.
struct Frame {
  std::string before, after;
};

bool has_aes(const Entry& entry) noexcept { return entry.encrypted() && entry.aes_version != 0; }

std::string aes_extra(const Entry& entry) {
  if (!has_aes(entry)) return {};
  Writer extra;
  extra.le<std::uint16_t>(0x9901).le<std::uint16_t>(7).le(entry.aes_version);
  extra.text("AE").le(entry.aes_strength).le(entry.method);
  return extra.take();
}

/// The fields that local header and directory entry share, from "version needed" on.
std::string common_fields(const Entry& entry, std::uint64_t data_size, std::size_t extra_size) {
  Writer fields;
  fields.le<std::uint16_t>(63).le(entry.flags);
  fields.le(has_aes(entry) ? std::uint16_t{99} : entry.method);
  fields.le(entry.time).le(entry.date).le(entry.crc);
  fields.le(static_cast<std::uint32_t>(data_size));
  fields.le(static_cast<std::uint32_t>(std::min(entry.size, most_size)));
  fields.le<std::uint16_t>(1).le(static_cast<std::uint16_t>(extra_size));
  return fields.take();
}

Frame frame_of(const Entry& entry, std::size_t data_size) {
  const auto extra = aes_extra(entry);
  const auto fields = common_fields(entry, data_size, extra.size());
  Frame frame;
  frame.before = Writer().text({"PK\3\4", 4}).text(fields).text("m").text(extra).take();
  Writer after;
  after.text({"PK\1\2", 4}).le<std::uint16_t>(63).text(fields);
  after.le<std::uint16_t>(0).le<std::uint16_t>(0).le<std::uint16_t>(0);  // comment, disk, internal
  after.le<std::uint32_t>(0).le<std::uint32_t>(0).text("m").text(extra);
  auto directory = after.take();
  Writer end;
  end.text({"PK\5\6", 4}).le<std::uint32_t>(0).le<std::uint16_t>(1).le<std::uint16_t>(1);
  end.le(static_cast<std::uint32_t>(directory.size()));
  end.le(static_cast<std::uint32_t>(frame.before.size() + data_size)).le<std::uint16_t>(0);
  frame.after = directory + end.take();
  return frame;
}

struct Discard {
  void operator()(zip_t* handle) const noexcept { zip_discard(handle); }
  void operator()(zip_file_t* handle) const noexcept { zip_fclose(handle); }
};
using Archive = std::unique_ptr<zip_t, Discard>;
using File = std::unique_ptr<zip_file_t, Discard>;

zip_buffer_fragment_t fragment(ByteView part) noexcept {
  // libzip reads a source that is never written to; its type knows no const.
  auto* data =
      const_cast<std::byte*>(part.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  return {static_cast<zip_uint8_t*>(static_cast<void*>(data)), part.size()};
}

/// The archive looks into `frame` and `data`.
Archive open_by_libzip(const Frame& frame, ByteView data) {
  const std::array parts = {fragment(stoq::as_bytes(frame.before)), fragment(data),
                            fragment(stoq::as_bytes(frame.after))};
  zip_error_t error;
  zip_error_init(&error);
  auto* source = zip_source_buffer_fragment_create(parts.data(), parts.size(), 0, &error);
  if (source == nullptr) throw std::bad_alloc();
  Archive archive(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (!archive) {
    zip_source_free(source);
    const std::string reason = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw stoq::MalformedInput("libzip: " + reason);
  }
  return archive;
}

/// The member's content, or its compressed bytes (ZIP_FL_COMPRESSED); null when it does not open.
File open_file(zip_t* archive, zip_flags_t flags, const std::string& password = {}) {
  return File(
      zip_fopen_index_encrypted(archive, 0, flags, password.empty() ? nullptr : password.c_str()));
}

bool libzip_can(std::uint16_t method) noexcept {
  return zip_compression_method_supported(method, 0) == 1;
}

/// Whether the member, opened with a password, is sound: a header of one check byte lets one wrong
/// password in 256 pass.
bool reads_to_end(zip_file_t* file, std::uint64_t most) {
  std::array<char, 16384> scratch{};
  std::uint64_t total = 0;
  zip_int64_t count = 1;
  while (total <= most && count > 0) {
    count = zip_fread(file, scratch.data(), scratch.size());
    total += count > 0 ? static_cast<std::uint64_t>(count) : 0;
  }
  return count >= 0;
}

bool fits_password(zip_t* archive, const Entry& entry, const std::string& password,
                   std::uint64_t most) {
  const bool checked_well = entry.aes_version != 0 || !libzip_can(entry.method);
  const auto file = open_file(archive, checked_well ? ZIP_FL_COMPRESSED : 0, password);
  return file && (checked_well || reads_to_end(file.get(), most));
}

Decrypted read_raw(zip_file_t* file, std::size_t most) {
  Decrypted raw;
  raw.bytes.resize(most);  // encryption only adds to the size
  std::size_t used = 0;
  zip_int64_t count = 1;
  while (used < most && count > 0) {
    count = zip_fread(file, raw.bytes.data() + used, most - used);
    used += count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  if (count < 0) raw.problem = zip_error_strerror(zip_file_get_error(file));
  raw.bytes.resize(used);
  return raw;
}

[[noreturn]] void fail(zip_error_t* error) {
  const std::string reason = "libzip: " + std::string(zip_error_strerror(error));
  const auto code = zip_error_code_zip(error);
  if (code == ZIP_ER_COMPNOTSUPP || code == ZIP_ER_ENCRNOTSUPP) throw stoq::Unsupported(reason);
  throw stoq::MalformedInput(reason);
}

void read_by_libzip(const Frame& frame, ByteView data, stoq::Buffer& out) {
  constexpr std::size_t chunk = std::size_t{256} << 10;
  const auto archive = open_by_libzip(frame, data);
  const auto file = open_file(archive.get(), 0);
  if (!file) fail(zip_get_error(archive.get()));
  while (true) {
    std::array<std::byte, 1> spare{};
    const bool full = out.remaining() == 0;
    const auto room =
        full ? std::span<std::byte>(spare) : out.prepare(std::min(chunk, out.remaining()));
    const auto count = zip_fread(file.get(), room.data(), room.size());
    if (count == 0) return;
    if (count < 0) fail(zip_file_get_error(file.get()));
    if (full) throw stoq::LimitReached{"child_bytes"};
    out.commit(static_cast<std::size_t>(count));
  }
}

void read_by_libarchive(const Frame& frame, ByteView data, stoq::Buffer& out) {
  const auto whole =
      Writer().text(frame.before).text(stoq::as_chars(data)).text(frame.after).take();
  stoq::common::ArchiveReader reader;
  if (!reader.allow_format("zip")) throw stoq::Unsupported("libarchive was built without zip");
  reader.open(stoq::as_bytes(whole));
  if (reader.next() != stoq::common::ArchiveReader::Step::member) {
    throw stoq::MalformedInput("libarchive cannot read it: " + reader.message());
  }
  reader.fill(out, [] { return false; });
}

ByteView within_32_bits(ByteView data) noexcept {
  return data.first(std::min<std::size_t>(data.size(), most_size));
}

}  // namespace

Decrypted decrypt(ByteView data, const Entry& entry, const std::vector<std::string>& passwords,
                  std::uint64_t most) {
  data = within_32_bits(data);
  auto framed = entry;
  // Of stored members libzip would compare the CRC, which AE-2 has not; of compressed ones it
  // leaves that to whoever decompresses them.
  if (has_aes(entry)) framed.method = method_deflated;
  const auto frame = frame_of(framed, data.size());
  const auto archive = open_by_libzip(frame, data);
  for (const auto& password : passwords) {
    if (!fits_password(archive.get(), entry, password, most)) continue;
    const auto file = open_file(archive.get(), ZIP_FL_COMPRESSED, password);
    if (file) return read_raw(file.get(), data.size());
  }
  throw stoq::Encrypted("zip: none of " + std::to_string(passwords.size()) +
                        " passwords fits (option password_list)");
}

void read_by_library(ByteView data, const Entry& entry, stoq::Buffer& out) {
  data = within_32_bits(data);
  const auto frame = frame_of(entry, data.size());
  if (libzip_can(entry.method)) {
    read_by_libzip(frame, data, out);
    return;
  }
  constexpr std::array<std::uint16_t, 5> libarchive_can = {12, 14, 93, 95, 98};
  if (std::find(libarchive_can.begin(), libarchive_can.end(), entry.method) ==
      libarchive_can.end()) {
    throw stoq::Unsupported("zip: " + describe_method(entry.method) + " cannot be read here");
  }
  read_by_libarchive(frame, data, out);
}

}  // namespace unzip
