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

void Spool::Reader::load(Window& window, std::uint64_t offset, std::size_t size) const {
  const auto stored = std::min<std::uint64_t>(std::max(size, read_ahead), spool_.in_file_ - offset);
  window.bytes.resize(stored);
  window.at = offset;
  std::size_t got = 0;
  while (got < window.bytes.size()) {
    const auto count = ::pread(spool_.file_, window.bytes.data() + got, window.bytes.size() - got,
                               static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("cannot be read back");
    got += static_cast<std::size_t>(count);
  }
}

Spool::Reader::Window* Spool::Reader::find(std::uint64_t offset, std::size_t size) noexcept {
  auto* const found = std::find_if(windows_.begin(), windows_.end(), [&](const Window& window) {
    return window.holds(offset, size);
  });
  return found == windows_.end() ? nullptr : found;
}

Spool::Reader::Window& Spool::Reader::least_used() noexcept {
  return *std::min_element(windows_.begin(), windows_.end(),
                           [](const Window& a, const Window& b) { return a.used < b.used; });
}

std::string_view Spool::Reader::read(std::uint64_t offset) {
  std::uint32_t size = 0;
  if (offset >= spool_.in_file_) {
    const std::string_view at = std::string_view(spool_.memory_).substr(offset - spool_.in_file_);
    std::memcpy(&size, at.data(), header);
    return at.substr(header, size);
  }
  auto* window = find(offset, header);
  const bool known = window != nullptr;
  if (!known) load(*(window = &least_used()), offset, header);
  std::memcpy(&size, window->bytes.data() + (offset - window->at), header);
  if (!window->holds(offset, header + size)) {
    // What was there before may still be looked at; what was loaded just now, nobody has seen.
    auto* const whole = find(offset, header + size);
    if (whole == nullptr && known) window = &least_used();
    if (whole == nullptr) load(*window, offset, header + size);
    if (whole != nullptr) window = whole;
  }
  window->used = ++reads_;
  return std::string_view(window->bytes).substr(offset - window->at + header, size);
}

}  // namespace stoq::engine
