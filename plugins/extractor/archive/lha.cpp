#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include <lhasa.h>

#include "formats.hpp"

namespace archive_plugin {

namespace {

using stoq::ByteView;
using stoq::MalformedInput;

/// The payload as liblhasa's input stream.
struct Input {
  static constexpr auto none = static_cast<std::size_t>(-1);
  ByteView bytes;
  std::size_t position = 0;
  std::size_t header_at = none;  ///< where the first read since it was cleared began
  bool truncated = false;        ///< more was wanted than there is
};

int read_input(void* handle, void* buffer, std::size_t count) {
  auto& input = *static_cast<Input*>(handle);
  if (input.header_at == Input::none) input.header_at = input.position;
  const auto rest = input.bytes.subspan(input.position);
  const auto part = rest.first(std::min({count, rest.size(), std::size_t{1} << 30}));
  std::copy(part.begin(), part.end(), static_cast<std::byte*>(buffer));
  input.position += part.size();
  if (part.size() < count) input.truncated = true;
  return static_cast<int>(part.size());
}

int skip_input(void* handle, std::size_t count) {
  auto& input = *static_cast<Input*>(handle);
  if (!stoq::fits(input.bytes, input.position, count)) {
    input.position = input.bytes.size();
    input.truncated = true;
    return 0;
  }
  input.position += count;
  return 1;
}

struct Free {
  void operator()(LHAInputStream* stream) const noexcept { lha_input_stream_free(stream); }
  void operator()(LHAReader* reader) const noexcept { lha_reader_free(reader); }
};

constexpr auto crc_table = [] {
  std::array<std::uint16_t, 256> table{};
  for (unsigned i = 0; i < table.size(); ++i) {
    unsigned crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xa001U : crc >> 1;
    table[i] = static_cast<std::uint16_t>(crc);
  }
  return table;
}();

std::uint16_t crc16(ByteView bytes) noexcept {
  unsigned crc = 0;
  for (const auto byte : bytes) {
    crc = crc >> 8 ^ crc_table[(crc ^ std::to_integer<unsigned>(byte)) & 0xffU];
  }
  return static_cast<std::uint16_t>(crc);
}

constexpr std::array<std::string_view, 13> methods = {"-lh0-", "-lh1-", "-lh4-", "-lh5-", "-lh6-",
                                                      "-lh7-", "-lhx-", "-lzs-", "-lz4-", "-lz5-",
                                                      "-pm0-", "-pm1-", "-pm2-"};
bool is_known(std::string_view method) noexcept {
  return std::find(methods.begin(), methods.end(), method) != methods.end();
}
bool is_stored(std::string_view method) noexcept {
  return method == "-lh0-" || method == "-lz4-" || method == "-pm0-";
}

void check_crc(ByteView bytes, const LHAFileHeader& header) {
  if (crc16(bytes) != header.crc) throw MalformedInput("lha: checksum of the member is wrong");
}

void fill(LHAReader* reader, const LHAFileHeader& header, const stoq::Request& request,
          stoq::Buffer& out) {
  constexpr std::size_t step = std::size_t{1} << 16;
  if (!is_known(header.compress_method)) {
    throw stoq::Unsupported("lha: no decoder for method " + std::string(header.compress_method));
  }
  while (out.size() < header.length) {
    if (request.stop_requested()) throw MalformedInput("lha: stopped before the member's end");
    const auto room = out.prepare(std::min(step, header.length - out.size()));
    const auto count = lha_reader_read(reader, room.data(), room.size());
    if (count == 0) break;
    out.commit(count);
  }
  // Some archives of the Macintosh hold more than the member: liblhasa takes its header off.
  if (out.size() < header.length && header.os_type != LHA_OS_TYPE_MACOS) {
    throw MalformedInput("lha: ends after " + std::to_string(out.size()) + " of " +
                         std::to_string(header.length) + " bytes");
  }
  if (header.os_type != LHA_OS_TYPE_MACOS) check_crc(out.view(), header);
}

void extract_member(LHAReader* reader, const LHAFileHeader& header, const Input& input,
                    const stoq::Payload& payload, const stoq::Request& request,
                    stoq::Children& children) {
  stoq::ChildInfo info;
  if (header.path != nullptr) info.name = header.path;
  if (header.filename != nullptr) info.name += header.filename;
  // A Macintosh member may begin with a header that liblhasa takes off.
  const bool whole = is_stored(header.compress_method) && header.os_type != LHA_OS_TYPE_MACOS &&
                     header.length == header.compressed_length &&
                     stoq::fits(payload.view(), input.position, header.length);
  if (whole) {
    auto content = payload.bytes.slice(input.position, header.length);
    if (crc16(content.view()) == header.crc) {
      info.offset = input.position;
      children.emit(std::move(content), std::move(info));
      return;
    }
  }
  children.produce(std::move(info), header.length, [&](stoq::Buffer& out) {
    if (is_stored(header.compress_method) &&
        !stoq::fits(payload.view(), input.position, header.compressed_length)) {
      // liblhasa gives nothing of a stored member that is cut short.
      out.append(payload.view().subspan(std::min(input.position, payload.bytes.size())));
      throw MalformedInput("lha: the stored member runs past the end");
    }
    fill(reader, header, request, out);
  });
}

}  // namespace

bool extract_lha(const stoq::Payload& payload, const stoq::Request& request,
                 stoq::Children& children) {
  static constexpr LHAInputStreamType type = {read_input, skip_input, nullptr};
  Input input{payload.view()};
  const std::unique_ptr<LHAInputStream, Free> stream(lha_input_stream_new(&type, &input));
  if (stream == nullptr) throw std::bad_alloc();
  const std::unique_ptr<LHAReader, Free> reader(lha_reader_new(stream.get()));
  if (reader == nullptr) throw std::bad_alloc();
  lha_reader_set_dir_policy(reader.get(), LHA_READER_DIR_PLAIN);

  std::size_t count = 0;
  while (!request.stop_requested()) {
    input.header_at = Input::none;
    const LHAFileHeader* header = lha_reader_next_file(reader.get());
    if (header == nullptr) break;
    ++count;
    if (std::string_view(header->compress_method) == LHA_COMPRESS_TYPE_DIR) continue;
    input.truncated = false;
    extract_member(reader.get(), *header, input, payload, request, children);
  }
  if (count == 0 || request.stop_requested()) return count > 0;
  // The end is a zero byte, or nothing at all; an end of CP/M's kind is padded with 0x1a.
  const auto at = std::min(input.header_at, payload.bytes.size());
  if (at == payload.bytes.size() && input.header_at == Input::none && input.truncated) {
    throw MalformedInput("lha: member " + std::to_string(count) + " runs past the end");
  }
  if (at < payload.bytes.size() && payload.view()[at] != std::byte{0} &&
      payload.view()[at] != std::byte{0x1a}) {
    throw MalformedInput("lha: broken header at offset " + std::to_string(at) + ", after member " +
                         std::to_string(count));
  }
  return true;
}

}  // namespace archive_plugin
