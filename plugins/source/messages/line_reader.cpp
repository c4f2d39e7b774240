#include "line_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <stoq/error.hpp>

namespace messages {
namespace {

constexpr std::size_t block = std::size_t{64} << 10;
constexpr int wait_milliseconds = 100;

[[noreturn]] void fail(const std::string& path) {
  throw stoq::IoError("messages: cannot read '" + path + "': " + std::strerror(errno));
}

}  // namespace

LineReader::LineReader(const std::string& path)
    : path_(path),
      descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail(path_);
}

LineReader::~LineReader() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

/// Reads some more; false when the reader is to stop.
bool LineReader::fill(const std::function<bool()>& go_on) {
  pollfd ready{descriptor_, POLLIN, 0};
  while (::poll(&ready, 1, 0) == 0) {
    if (!go_on()) return false;
    ::poll(&ready, 1, wait_milliseconds);
  }
  waiting_.erase(0, std::exchange(begin_, 0));
  const auto filled = waiting_.size();
  waiting_.resize(filled + block);
  const auto got = ::read(descriptor_, waiting_.data() + filled, block);
  const auto reason = errno;
  waiting_.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  errno = reason;
  if (got < 0 && reason != EINTR) fail(path_);
  ended_ = got == 0;
  return true;
}

std::optional<LineReader::Line> LineReader::next(const std::function<bool()>& go_on) {
  Line line;
  for (;;) {
    const auto end = waiting_.find('\n', begin_);
    const bool whole = end != std::string::npos;
    const auto rest = (whole ? end : waiting_.size()) - begin_;
    const auto kept = std::min(rest, most - line.text.size());
    line.text.append(waiting_, begin_, kept);
    line.too_long = line.too_long || kept < rest;
    begin_ += rest + (whole ? 1 : 0);
    if (whole || ended_) {
      ++number_;
      line.number = number_;
      if (!line.text.empty()) return line;
      if (!whole) return std::nullopt;
    } else if (!fill(go_on)) {
      return std::nullopt;
    }
  }
}

}  // namespace messages
