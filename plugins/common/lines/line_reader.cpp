#include "line_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <stoq/error.hpp>

namespace stoq::common {
namespace {

constexpr std::size_t block = std::size_t{64} << 10;
constexpr int wait_milliseconds = 100;

}  // namespace

LineReader::LineReader(std::string path, LineRules rules)
    : path_(std::move(path)),
      rules_(std::move(rules)),
      descriptor_(path_ == "-" ? STDIN_FILENO : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail();
  if (!rules_.may_end_with_nul) separator_ = '\n';
}

LineReader::~LineReader() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

void LineReader::fail() const {
  throw IoError(rules_.what + " '" + path_ + "': " + std::strerror(errno));
}

/// Reads some more; false when it is to stop.
bool LineReader::fill(const GoOn& go_on) {
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
  if (got < 0 && reason != EINTR) fail();
  ended_ = got == 0;
  return true;
}

bool LineReader::find_separator(const GoOn& go_on) {
  while (!ended_ && waiting_.size() < block) {
    if (!fill(go_on)) return false;
  }
  separator_ = waiting_.find('\0') != std::string::npos ? '\0' : '\n';
  return true;
}

std::optional<LineReader::Line> LineReader::next(const GoOn& go_on) {
  if (!separator_ && !find_separator(go_on)) return std::nullopt;
  Line line;
  for (;;) {
    const auto end = waiting_.find(*separator_, begin_);
    const bool whole = end != std::string::npos;
    const auto rest = (whole ? end : waiting_.size()) - begin_;
    const auto kept = std::min(rest, rules_.most - line.text.size());
    line.text.append(waiting_, begin_, kept);
    line.too_long = line.too_long || kept < rest;
    begin_ += rest + (whole ? 1 : 0);
    if (whole || ended_) {
      ++number_;
      if (!line.text.empty()) {
        line.number = number_;
        return line;
      }
      if (!whole) return std::nullopt;
    } else if (!fill(go_on)) {
      return std::nullopt;
    }
  }
}

}  // namespace stoq::common
