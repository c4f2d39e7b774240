#include "path_list.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <stoq/error.hpp>

namespace filedir {
namespace {

constexpr std::size_t block_size = 65536;  // no path that can be opened is longer
constexpr std::size_t shown_of_long = 4096;

[[noreturn]] void fail(const std::string& file) {
  throw stoq::IoError("cannot read the list of files '" + file + "': " + std::strerror(errno));
}

}  // namespace

PathList::PathList(const std::string& file)
    : file_(file),
      descriptor_(file == "-" ? STDIN_FILENO : ::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail(file_);
  try {
    fill(block_size);
  } catch (...) {
    if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
    throw;
  }
  if (waiting_.find('\0') != std::string::npos) separator_ = '\0';
}

PathList::~PathList() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

void PathList::fill(std::size_t least) {
  if (begin_ != 0) waiting_.erase(0, std::exchange(begin_, 0));
  while (!ended_ && waiting_.size() < least) {
    const auto filled = waiting_.size();
    waiting_.resize(filled + block_size);
    const auto got = ::read(descriptor_, waiting_.data() + filled, block_size);
    const auto reason = errno;
    waiting_.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    errno = reason;
    if (got < 0 && reason != EINTR) fail(file_);
    ended_ = got == 0;
  }
}

std::optional<PathList::Entry> PathList::next() {
  while (begin_ != waiting_.size() || !ended_) {
    auto end = waiting_.find(separator_, begin_);
    bool complete = end != std::string::npos;
    if (!complete) {
      const auto rest = waiting_.size() - begin_;
      if (!ended_ && rest < block_size) {
        fill(rest + 1);
        continue;
      }
      complete = ended_;
      end = waiting_.size();
    }
    Entry entry{waiting_.substr(begin_, end - begin_), false};
    begin_ = std::min(waiting_.size(), complete ? end + 1 : end);
    const bool rest_of_long = std::exchange(in_long_, !complete);
    if (rest_of_long || entry.path.empty()) continue;
    if (entry.path.size() >= block_size) entry = {entry.path.substr(0, shown_of_long), true};
    return entry;
  }
  return std::nullopt;
}

}  // namespace filedir
