#include "engine/spool.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

#include <stoq/error.hpp>

namespace stoq::engine {
namespace {

constexpr std::size_t header = sizeof(std::uint32_t);
constexpr std::size_t read_ahead = std::size_t{64} << 10;
/// The entries of one payload that workers looked at. Below 1 KiB, from which on malloc() first
/// puts together all small blocks that are free.
constexpr std::size_t usual_entries = 960;

[[noreturn]] void fail(const char* what) {
  throw IoError(std::string("results of a root: ") + what + ": " + std::strerror(errno) +
                " (set TMPDIR to a folder with room)");
}

}  // namespace

Spool::~Spool() {
  if (file_ >= 0) ::close(file_);
}

std::uint64_t Spool::append(std::string_view entry) {
  const std::lock_guard lock(mutex_);
  const auto at = in_file_ + memory_.size();
  const auto size = static_cast<std::uint32_t>(entry.size());
  char prefix[header];
  std::memcpy(prefix, &size, header);
  if (memory_.empty()) memory_.reserve(std::max(usual_entries, header + entry.size()));
  memory_.append(prefix, header);
  memory_.append(entry);
  if (memory_.size() > limit_) flush();
  return at;
}

void Spool::flush() {
  if (file_ < 0) {
    const char* chosen = std::getenv("TMPDIR");
    const char* folder = chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
    file_ = ::open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file_ < 0) fail("no file for them");
  }
  std::string_view rest = memory_;
  while (!rest.empty()) {
    const auto written = ::pwrite(file_, rest.data(), rest.size(), static_cast<off_t>(in_file_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written");
    in_file_ += static_cast<std::uint64_t>(written);
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  memory_.clear();
}

void Spool::Reader::load(std::uint64_t offset, std::size_t size) {
  const auto stored = std::min<std::uint64_t>(std::max(size, read_ahead), spool_.in_file_ - offset);
  window_.resize(stored);
  window_at_ = offset;
  std::size_t got = 0;
  while (got < window_.size()) {
    const auto count = ::pread(spool_.file_, window_.data() + got, window_.size() - got,
                               static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("cannot be read back");
    got += static_cast<std::size_t>(count);
  }
}

std::string_view Spool::Reader::read(std::uint64_t offset) {
  std::uint32_t size = 0;
  if (offset >= spool_.in_file_) {
    const std::string_view at = std::string_view(spool_.memory_).substr(offset - spool_.in_file_);
    std::memcpy(&size, at.data(), header);
    return at.substr(header, size);
  }
  const auto inside = [&](std::size_t count) {
    return offset >= window_at_ && offset - window_at_ <= window_.size() &&
           count <= window_.size() - (offset - window_at_);
  };
  if (!inside(header)) load(offset, header);
  std::memcpy(&size, window_.data() + (offset - window_at_), header);
  if (!inside(header + size)) load(offset, header + size);
  return std::string_view(window_).substr(offset - window_at_ + header, size);
}

}  // namespace stoq::engine
