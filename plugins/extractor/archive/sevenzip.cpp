#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "formats.hpp"
#include "inflate.hpp"
#include "sevenzip_coders.hpp"
#include "sevenzip_header.hpp"

namespace archive_plugin {

namespace {

using sevenzip::File;
using sevenzip::Folder;
using sevenzip::Keyring;
using sevenzip::Part;
using sevenzip::Stream;
using stoq::ByteView;
using stoq::MalformedInput;

constexpr std::size_t piece = std::size_t{64} << 10U;

/// CRC-32 of bytes that come in pieces.
class Checksum {
 public:
  void add(ByteView bytes) noexcept { value_ = stoq::common::crc32(bytes, value_); }
  [[nodiscard]] std::uint32_t value() const noexcept { return value_; }

 private:
  std::uint32_t value_ = 0;
};

[[noreturn]] void fail_checksum(std::uint32_t found, std::uint32_t expected) {
  throw MalformedInput("7z: checksum is " + std::to_string(found) + ", expected " +
                       std::to_string(expected));
}

/// Decodes the first member, or what of it `most` allows. False when it is not what it should be.
bool looks_right(const Folder& folder, Keyring& keyring, const stoq::Request& request,
                 std::uint64_t most) {
  const auto first = std::find_if(folder.parts.begin(), folder.parts.end(),
                                  [](const Part& part) { return part.size > 0; });
  if (first == folder.parts.end()) return true;
  try {
    const auto stream = sevenzip::open(folder, keyring, request);
    std::vector<std::byte> room(piece);
    Checksum checksum;
    const auto end = std::min(first->size, most);
    for (std::uint64_t done = 0; done < end;) {
      if (request.stop_requested()) return false;
      const auto part = std::span(room).first(std::min<std::uint64_t>(piece, end - done));
      const auto count = stream->read(part);
      if (count == 0) return false;
      checksum.add(part.first(count));
      done += count;
    }
    return end < first->size || !first->crc || checksum.value() == *first->crc;
  } catch (const MalformedInput&) {
    return false;
  }
}

/// Finds the password of an encrypted folder; the one that opened the last is tried first.
class Lock {
 public:
  Lock(Keyring& keyring, const stoq::Request& request) noexcept
      : keyring_(keyring), request_(request) {}

  /// Throws Encrypted when none fits.
  void unlock(const Folder& folder, std::uint64_t most) {
    if (!sevenzip::is_encrypted(folder)) return;
    for (std::size_t i = 0; i < keyring_.size() && !request_.stop_requested(); ++i) {
      const auto index = (last_ + i) % keyring_.size();
      keyring_.choose(index);
      if (!looks_right(folder, keyring_, request_, most)) continue;
      last_ = index;
      return;
    }
    if (request_.stop_requested()) {
      throw MalformedInput("7z: stopped before all passwords were tried");
    }
    throw stoq::Encrypted("7z: encrypted, and none of the " + std::to_string(keyring_.size()) +
                          " passwords of password_list fits");
  }

 private:
  Keyring& keyring_;
  const stoq::Request& request_;
  std::size_t last_ = 0;
};

/// Cuts one folder's members out of its stream, in order.
class FolderReader {
 public:
  FolderReader(const Folder& folder, const stoq::Bytes& archive, Keyring& keyring, Lock& lock,
               const stoq::Request& request)
      : folder_(folder), archive_(archive), keyring_(keyring), lock_(lock), request_(request) {}

  void bring_out(stoq::ChildInfo info, const Part& part, stoq::Children& children) {
    const auto at = next_;
    next_ += part.size;
    info.encrypted = sevenzip::is_encrypted(folder_);
    if (emit_stored(info, at, part, children)) return;
    prepare(children.max_child_bytes());
    if (status_ != stoq::Status::ok) {
      children.lost(std::move(info), status_, message_);
      return;
    }
    children.produce(std::move(info), part.size, [&](stoq::Buffer& out) { fill(at, part, out); });
  }

  /// A part that is no file: a link's target.
  void pass(const Part& part) noexcept { next_ += part.size; }

 private:
  /// A member that is stored as it is costs no copy.
  bool emit_stored(stoq::ChildInfo& info, std::uint64_t at, const Part& part,
                   stoq::Children& children) const {
    constexpr std::uint64_t copy = 0;
    if (folder_.coders.size() != 1 || folder_.coders[0].id != copy || !folder_.fault.empty() ||
        folder_.packed.size() != 1 || !stoq::fits(folder_.packed[0], at, part.size)) {
      return false;
    }
    const auto content = folder_.packed[0].subspan(at, part.size);
    if (part.crc && stoq::common::crc32(content) != *part.crc) return false;
    const auto offset = static_cast<std::size_t>(content.data() - archive_.view().data());
    if (!content.empty()) info.offset = offset;
    children.emit(archive_.slice(offset, content.size()), std::move(info));
    return true;
  }

  /// Opens the folder, once.
  void prepare(std::uint64_t most) {
    if (opened_) return;
    opened_ = true;
    guard([&] {
      lock_.unlock(folder_, most);
      stream_ = sevenzip::open(folder_, keyring_, request_);
    });
  }

  /// Runs `work`; whatever it says of the input holds for all members to come.
  template <class Work>
  void guard(Work work) {
    const auto note = [this](stoq::Status status, const stoq::Error& error) {
      status_ = status;
      message_ = error.what();
    };
    try {
      work();
    } catch (const stoq::Encrypted& error) {
      note(stoq::Status::encrypted, error);
    } catch (const stoq::Unsupported& error) {
      note(stoq::Status::unsupported, error);
    } catch (const MalformedInput& error) {
      note(stoq::Status::corrupt, error);
    }
  }

  /// As Stream::read(), but remembers what goes wrong, and then throws it.
  std::size_t read(std::span<std::byte> out) {
    std::size_t count = 0;
    guard([&] {
      if (request_.stop_requested()) throw MalformedInput("7z: stopped before the folder's end");
      count = stream_->read(out);
      if (count == 0) {
        throw MalformedInput("7z: the folder ends after " + std::to_string(done_) + " of " +
                             std::to_string(folder_.size()) + " bytes");
      }
    });
    if (status_ == stoq::Status::unsupported) throw stoq::Unsupported(message_);
    if (status_ != stoq::Status::ok) throw MalformedInput(message_);
    done_ += count;
    return count;
  }

  /// Goes past members that were dropped, keeping nothing.
  void skip_to(std::uint64_t at) {
    std::vector<std::byte> room(done_ < at ? piece : 0);
    while (done_ < at) read(std::span(room).first(std::min<std::uint64_t>(piece, at - done_)));
  }

  void fill(std::uint64_t at, const Part& part, stoq::Buffer& out) {
    if (part.size > out.remaining()) throw stoq::LimitReached{"child_bytes"};
    skip_to(at);
    Checksum checksum;
    for (std::uint64_t left = part.size; left > 0;) {
      const auto room = out.prepare(std::min<std::uint64_t>(left, piece));
      const auto count = read(room);
      checksum.add(room.first(count));
      out.commit(count);
      left -= count;
    }
    if (part.crc && checksum.value() != *part.crc) fail_checksum(checksum.value(), *part.crc);
  }

  const Folder& folder_;
  const stoq::Bytes& archive_;
  Keyring& keyring_;
  Lock& lock_;
  const stoq::Request& request_;
  std::unique_ptr<Stream> stream_;
  std::uint64_t next_ = 0;  ///< where the next member begins
  std::uint64_t done_ = 0;  ///< how far the folder is decoded
  bool opened_ = false;
  stoq::Status status_ = stoq::Status::ok;
  std::string message_;
};

std::vector<std::byte> unpack_header(const Folder& folder, Keyring& keyring, Lock& lock,
                                     const stoq::Request& request) {
  constexpr std::uint64_t most_header = std::uint64_t{64} << 20U;
  if (folder.size() > most_header) {
    throw stoq::Unsupported("7z: header of " + std::to_string(folder.size()) + " bytes");
  }
  try {
    lock.unlock(folder, most_header);
  } catch (const stoq::Encrypted& error) {
    throw stoq::Encrypted(std::string(error.what()) + " (the list of members is encrypted too)");
  }
  const auto stream = sevenzip::open(folder, keyring, request);
  std::vector<std::byte> header;
  while (header.size() < folder.size()) {
    if (request.stop_requested()) throw MalformedInput("7z: stopped before the header's end");
    const auto before = header.size();
    header.resize(before + std::min<std::uint64_t>(piece, folder.size() - before));
    const auto count = stream->read(std::span(header).subspan(before));
    if (count == 0) throw MalformedInput("7z: packed header ends early");
    header.resize(before + count);
  }
  if (folder.crc && stoq::common::crc32(header) != *folder.crc) {
    throw MalformedInput("7z: checksum of the packed header is wrong");
  }
  return header;
}

sevenzip::Header read_header(const stoq::Payload& payload, Keyring& keyring, Lock& lock,
                             const stoq::Request& request) {
  constexpr int most_layers = 4;
  const auto start = sevenzip::read_start(payload.view());
  if (start.size == 0) return {};
  const auto plain = stoq::slice(payload.view(), start.at, start.size);
  if (stoq::common::crc32(plain) != start.crc) {
    throw MalformedInput("7z: checksum of the header is wrong");
  }
  std::vector<std::byte> header(plain.begin(), plain.end());
  for (int layer = 0; sevenzip::is_encoded(header); ++layer) {
    if (layer == most_layers) throw MalformedInput("7z: header packed over and over");
    const auto folders = sevenzip::read_encoded(header, payload.view());
    header = unpack_header(folders[0], keyring, lock, request);
  }
  auto result = sevenzip::read_header(header, payload.view());
  result.fault = start.fault;
  return result;
}

/// Goes through files and folders side by side: files that have data take the next part each.
void bring_out_all(const sevenzip::Header& header, const stoq::Payload& payload, Keyring& keyring,
                   Lock& lock, const stoq::Request& request, stoq::Children& children) {
  std::size_t folder = 0;
  std::size_t part = 0;
  std::optional<FolderReader> reader;
  for (const auto& file : header.files) {
    if (request.stop_requested()) return;
    stoq::ChildInfo info;
    info.name = file.name;
    if (!file.has_data) {
      if (file.kind == File::Kind::file) children.emit({}, std::move(info));
      continue;
    }
    while (folder < header.folders.size() && part == header.folders[folder].parts.size()) {
      ++folder;
      part = 0;
      reader.reset();
    }
    if (folder == header.folders.size()) {
      children.lost(std::move(info), stoq::Status::corrupt, "7z: more files than folders hold");
      continue;
    }
    if (!reader) reader.emplace(header.folders[folder], payload.bytes, keyring, lock, request);
    const auto& piece_of_folder = header.folders[folder].parts[part++];
    if (file.kind == File::Kind::file) {
      reader->bring_out(std::move(info), piece_of_folder, children);
    } else {
      reader->pass(piece_of_folder);
    }
  }
}

}  // namespace

bool extract_7z(const stoq::Payload& payload, const stoq::Request& request,
                const std::vector<std::string>& passwords, stoq::Children& children) {
  if (!sevenzip::is_7z(payload.view())) return false;
  Keyring keyring(passwords, request);
  Lock lock(keyring, request);
  const auto header = read_header(payload, keyring, lock, request);
  const auto& folders = header.folders;
  if (std::any_of(folders.begin(), folders.end(), sevenzip::needs_libarchive)) return false;
  children.declare(static_cast<std::uint64_t>(
      std::count_if(header.files.begin(), header.files.end(),
                    [](const File& file) { return file.kind == File::Kind::file; })));
  bring_out_all(header, payload, keyring, lock, request, children);
  if (!header.fault.empty()) throw MalformedInput(header.fault);
  return true;
}

}  // namespace archive_plugin
