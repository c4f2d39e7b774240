#include "file_state.hpp"

#include <cerrno>
#include <csignal>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace dirmon {
namespace {

constexpr std::int64_t nanoseconds_in_second = 1'000'000'000;

std::int64_t nanoseconds(const struct statx_timestamp& time) {
  return time.tv_sec * nanoseconds_in_second + time.tv_nsec;
}

FileState::Kind kind_of(unsigned mode) {
  if (S_ISREG(mode)) return FileState::Kind::regular;
  if (S_ISDIR(mode)) return FileState::Kind::folder;
  return S_ISLNK(mode) ? FileState::Kind::link : FileState::Kind::special;
}

/// Of the path below `folder`; of `folder` itself when it is empty.
FileState ask(int folder, const char* path, int flags) {
  FileState state;
  struct statx facts {};
  if (::statx(folder, path, flags, STATX_BASIC_STATS | STATX_BTIME, &facts) != 0) {
    state.error = errno;
    return state;
  }
  state.kind = kind_of(facts.stx_mode);
  state.inode = {makedev(facts.stx_dev_major, facts.stx_dev_minor), facts.stx_ino, 0};
  if ((facts.stx_mask & STATX_BTIME) != 0) state.inode.born = nanoseconds(facts.stx_btime);
  state.version = {nanoseconds(facts.stx_mtime), facts.stx_size};
  state.changed = nanoseconds(facts.stx_ctime);
  return state;
}

}  // namespace

std::size_t InodeHash::operator()(const Inode& inode) const noexcept {
  constexpr std::uint64_t odd = 0x9e3779b97f4a7c15;
  std::uint64_t hash = inode.number * odd;
  for (const auto part : {inode.device, static_cast<std::uint64_t>(inode.born)}) {
    hash = (hash ^ part ^ hash >> 32U) * odd;
  }
  return hash;
}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FileState look_at(const std::string& path) {
  auto state = ask(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW);
  if (state.error != 0 || state.kind != FileState::Kind::regular) return state;
  // Not blocking: what was a file may be a fifo by now.
  const int descriptor =
      ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) {
    state.error = errno;
    return state;
  }
  auto file = std::make_shared<OpenFile>(descriptor);
  // Of what was opened, which may be another by now.
  state = ask(descriptor, "", AT_EMPTY_PATH);
  state.file = std::move(file);
  return state;
}

void refresh(FileState& state) {
  auto file = std::move(state.file);
  state = ask(file->get(), "", AT_EMPTY_PATH);
  state.file = std::move(file);
}

Writers writers_of(const OpenFile& file) noexcept {
  // Who opens the file for writing meanwhile breaks the lease, which is told by a signal: by one
  // that is ignored unless somebody asks for it, in place of SIGIO, which would end the process.
  if (::fcntl(file.get(), F_SETSIG, SIGURG) != 0) return Writers::not_known;
  if (::fcntl(file.get(), F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(file.get(), F_SETLEASE, F_UNLCK);
    return Writers::none;
  }
  return errno == EAGAIN ? Writers::some : Writers::not_known;
}

}  // namespace dirmon
