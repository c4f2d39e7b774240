#include "archive_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <span>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoq/error.hpp>

#include "descriptor.hpp"

namespace file_connector {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t levels = 5;  // stoQ's hashpath()

[[noreturn]] void fail(const std::string& what, const fs::path& path, int reason) {
  throw stoq::IoError("cannot " + what + " '" + path.string() + "': " + std::strerror(reason));
}

void make_folders(const fs::path& folder) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) fail("create the folder", folder, failure.value());
}

void write_all(int descriptor, stoq::ByteView bytes, const fs::path& path) {
  // In parts, so that pages of a mapped payload can be given back meanwhile.
  constexpr std::size_t at_a_time = std::size_t{1} << 20;
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), std::min(bytes.size(), at_a_time));
    if (written >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      fail("write", path, errno);
    }
  }
}

std::size_t read_some(int descriptor, std::span<std::byte> room, const fs::path& path) {
  for (;;) {
    const auto got = ::read(descriptor, room.data(), room.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) fail("read", path, errno);
  }
}

/// There is no room for more: 0 when there is no more, else the limit.
std::size_t at_end(int descriptor, const fs::path& path) {
  std::byte one{};
  if (read_some(descriptor, {&one, 1}, path) != 0) throw stoq::LimitReached{"child_bytes"};
  return 0;
}

/// A file beside its place, gone again unless it was put there.
class Draft {
 public:
  explicit Draft(const fs::path& place) {
    // A thread's number is nobody else's here and now; a run that was killed, or one on another
    // machine, may have left a file of that name.
    constexpr int most_tries = 1000;
    const auto stem = place.string() + "." + std::to_string(::gettid()) + ".";
    for (int i = 0; file_.get() < 0; ++i) {
      auto name = stem + std::to_string(i) + ".part";
      file_ = Descriptor(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
      if (file_.get() >= 0) name_ = std::move(name);
      if (file_.get() < 0 && (errno != EEXIST || i == most_tries)) fail("create", name, errno);
    }
  }
  ~Draft() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  void write(stoq::ByteView bytes, bool sync) {
    write_all(file_.get(), bytes, name_);
    if (sync && ::fsync(file_.get()) != 0) fail("write", name_, errno);
    if (::close(file_.release()) != 0 && errno != EINTR) fail("write", name_, errno);
  }

  /// Gives it its name. False when another has it.
  bool put(const fs::path& place) {
    if (::renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, place.c_str(), RENAME_NOREPLACE) == 0) {
      name_.clear();
      return true;
    }
    if (errno == EEXIST) return false;
    // A file system that cannot refuse to replace: a link never does.
    if (errno == EINVAL && ::link(name_.c_str(), place.c_str()) == 0) return true;
    if (errno == EEXIST) return false;
    fail("name the file", place, errno);
  }

 private:
  std::string name_;
  Descriptor file_;
};

/// Whether there is a file at `place`; throws when it cannot be the one that is meant.
bool is_there(const fs::path& place, std::size_t size) {
  struct stat about {};
  if (::lstat(place.c_str(), &about) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    fail("look at", place, errno);
  }
  if (!S_ISREG(about.st_mode)) {
    throw stoq::IoError("'" + place.string() + "' is in the way: no regular file");
  }
  if (static_cast<std::size_t>(about.st_size) != size) {
    throw stoq::IoError("'" + place.string() + "' has " + std::to_string(about.st_size) +
                        " bytes, what is to be kept under this hash has " + std::to_string(size) +
                        ": it is damaged, remove it");
  }
  return true;
}

}  // namespace

void ArchiveFolder::prepare() const {
  make_folders(base_);
  if (::access(base_.c_str(), W_OK | X_OK) != 0) fail("write into the folder", base_, errno);
}

fs::path ArchiveFolder::place_of(std::string_view hash) const {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (hash.size() <= levels || !std::all_of(hash.begin(), hash.end(), is_hex)) {
    throw stoq::IoError("'" + std::string(hash) + "' is no hash");
  }
  auto place = base_;
  for (std::size_t i = 0; i < levels; ++i) place /= hash.substr(i, 1);
  return place / hash;
}

bool ArchiveFolder::keep(std::string_view hash, stoq::ByteView bytes) const {
  const auto place = place_of(hash);
  if (is_there(place, bytes.size())) return false;
  make_folders(place.parent_path());
  Draft draft(place);
  draft.write(bytes, sync_);
  if (draft.put(place)) {
    if (sync_) {
      const Descriptor folder(::open(place.parent_path().c_str(), O_RDONLY | O_CLOEXEC));
      if (::fsync(folder.get()) != 0) fail("write the folder of", place, errno);
    }
    return true;
  }
  return !is_there(place, bytes.size());
}

void ArchiveFolder::get(std::string_view hash, stoq::Buffer& out) const {
  const auto place = place_of(hash);
  const Descriptor file(::open(place.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0 && errno == ENOENT) {
    throw stoq::IoError("nothing is kept under " + std::string(hash) + " in '" + base_.string() +
                        "'");
  }
  if (file.get() < 0) fail("open", place, errno);
  read_into(file.get(), place.string(), out);
}

void read_into(int descriptor, const std::string& path, stoq::Buffer& out) {
  struct stat about {};
  if (::fstat(descriptor, &about) != 0) fail("look at", path, errno);
  if (!S_ISREG(about.st_mode)) throw stoq::IoError("'" + path + "' is no regular file");
  // The size is a claim: one byte more is asked for, so that the end is seen.
  auto expected = static_cast<std::size_t>(about.st_size) + 1;
  for (;;) {
    const auto wanted = std::max(expected, std::size_t{4096});
    const auto room = out.prepare(std::min(out.remaining(), wanted));
    const auto got = room.empty() ? at_end(descriptor, path) : read_some(descriptor, room, path);
    if (got == 0) return;
    out.commit(got);
    expected -= std::min(expected, got);
  }
}

}  // namespace file_connector
