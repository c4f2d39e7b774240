#include "output_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoq/error.hpp>

namespace file_connector {
namespace {

/// Where a chain of links ends, so that the rename replaces the file and not the link.
std::string resolve(const std::string& path) {
  std::error_code ignored;
  const auto target = std::filesystem::canonical(path, ignored);
  return ignored ? path : target.string();
}

}  // namespace

OutputFile::OutputFile(const std::string& path, Mode mode) : path_(path), part_(path + ".part") {
  struct stat about {};
  const bool exists = ::stat(path.c_str(), &about) == 0;
  if (exists && S_ISDIR(about.st_mode)) {
    errno = EISDIR;
    fail("create");
  }
  const bool in_place = exists && !S_ISREG(about.st_mode);
  if (exists && !in_place) path_ = resolve(path);
  part_ = in_place || mode == Mode::append ? path_ : path_ + ".part";
  // Opened without O_TRUNC: another run may be at work on it, and the lock tells.
  open(mode == Mode::append && !in_place ? O_RDWR | O_APPEND : O_WRONLY);
  if (in_place) return;
  if (!lock()) {
    close();
    throw stoq::IoError("another run is writing '" + part_ +
                        "'; wait for it or choose another output file");
  }
  if (mode == Mode::append) {
    look_at_end();
    return;
  }
  begin_part();
  // A replaced file keeps its permissions as far as they can be given.
  if (exists && ::fchmod(descriptor_, about.st_mode & 07777) != 0) errno = 0;
}

void OutputFile::open(int flags) {
  descriptor_ = ::open(part_.c_str(), flags | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
  if (descriptor_ < 0) fail("create");
}

void OutputFile::begin_part() {
  if (::ftruncate(descriptor_, 0) == 0) return;
  const int reason = errno;
  close();
  errno = reason;
  fail("create");
}

void OutputFile::look_at_end() {
  end_ = ::lseek(descriptor_, 0, SEEK_END);
  char last = '\n';
  ends_in_line_ = end_ > 0 && ::pread(descriptor_, &last, 1, end_ - 1) == 1 && last != '\n';
}

OutputFile::~OutputFile() { close(); }

/// Whether the file is this run's alone. The name is looked at again under the lock: the run that
/// had it may have renamed it in between, and what is open here is then its finished file.
bool OutputFile::lock() const {
  struct stat opened {
  }, named{};
  return ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0 && ::fstat(descriptor_, &opened) == 0 &&
         ::stat(part_.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

void OutputFile::write(std::string_view bytes) {
  const auto size = static_cast<std::int64_t>(bytes.size());
  while (!bytes.empty()) {
    const auto written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno != EINTR) {
      const int reason = errno;
      // What another run adds must not follow half a line. If it cannot be cut, the next one looks.
      if (end_ >= 0) (void)!::ftruncate(descriptor_, end_);
      errno = reason;
      fail("write");
    }
  }
  if (end_ >= 0) end_ += size;
}

void OutputFile::finish(bool sync) {
  // EINVAL: a pipe or device has nothing to sync.
  if (sync && ::fsync(descriptor_) != 0 && errno != EINVAL) fail("write");
  if (part_ != path_ && std::rename(part_.c_str(), path_.c_str()) != 0) fail("finish");
  // Delayed errors (network file systems, quotas) come with close.
  if (::close(std::exchange(descriptor_, -1)) != 0 && errno != EINTR) fail("finish");
}

void OutputFile::fail(const std::string& what) const {
  throw stoq::IoError("cannot " + what + " '" + part_ + "': " + std::strerror(errno));
}

void OutputFile::close() {
  if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

}  // namespace file_connector
