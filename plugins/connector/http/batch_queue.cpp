#include "batch_queue.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoq/error.hpp>

namespace http_connector {
namespace {

// Before each batch: its key, how many results, how many bytes, in a line of this size.
constexpr std::size_t header_size = 80;

std::string header_of(const Batch& batch) {
  std::array<char, header_size + 1> text{};
  std::snprintf(text.data(), text.size(), "%-39s%20" PRIu64 "%20zu\n", batch.key.c_str(),
                batch.count, batch.lines.size());
  return {text.data(), header_size};
}

/// False when it is none: the rest of a write that was cut short.
bool read_header(const std::string& text, Batch& batch, std::size_t& size) {
  std::array<char, 40> key{};
  if (text.size() != header_size || text.back() != '\n') return false;
  if (std::sscanf(text.c_str(), "%39s %" SCNu64 " %zu", key.data(), &batch.count, &size) != 3) {
    return false;
  }
  batch.key = key.data();
  return true;
}

bool write_all(int file, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    at += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// What is there of `size` bytes; less at the end of the file.
std::string read_at(int file, std::uint64_t at, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t got = 0;
  while (got < size) {
    const auto count = ::pread(file, bytes.data() + got, size - got, static_cast<off_t>(at + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    got += static_cast<std::size_t>(count);
  }
  bytes.resize(got);
  return bytes;
}

}  // namespace

BatchQueue::BatchQueue(std::string file, std::size_t most) : path_(std::move(file)), most_(most) {
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
  if (file_ < 0) fail("open");
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    ::close(std::exchange(file_, -1));
    throw stoq::IoError("http: another run uses the spool '" + path_ +
                        "'; wait for it, or name another with the option spool");
  }
  find_end();
}

BatchQueue::~BatchQueue() {
  if (file_ >= 0) ::close(file_);
}

/// A write that was cut short ends what is of use.
void BatchQueue::find_end() {
  struct stat about {};
  if (::fstat(file_, &about) != 0) fail("read");
  const auto size = static_cast<std::uint64_t>(about.st_size);
  for (;;) {
    Batch batch{};
    std::size_t bytes = 0;
    if (!read_header(read_at(file_, end_, header_size), batch, bytes)) break;
    if (bytes > size - end_ - header_size) break;
    end_ += header_size + bytes;
    in_file_ += batch.count;
  }
  if (end_ == 0 && size > 0) {
    ::close(std::exchange(file_, -1));
    throw stoq::IoError("http: '" + path_ + "' is no spool of this connector; name another file");
  }
}

void BatchQueue::append(int file, std::uint64_t& end, const Batch& batch) const {
  if (!write_all(file, header_of(batch), end) || !write_all(file, batch.lines, end + header_size)) {
    fail("write");
  }
  end += header_size + batch.lines.size();
}

void BatchQueue::push(Batch batch) {
  {
    const std::lock_guard lock(mutex_);
    // Once something stands in the file, all that is newer stands behind it.
    if (at_ == end_ && bytes_ + batch.lines.size() <= most_) {
      bytes_ += batch.lines.size();
      memory_.push_back(std::move(batch));
    } else {
      append(file_, end_, batch);
      in_file_ += batch.count;
    }
  }
  changed_.notify_all();
}

void BatchQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

std::optional<Batch> BatchQueue::front(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const bool there = changed_.wait(lock, std::move(stop),
                                   [&] { return closed_ || !memory_.empty() || at_ < end_; });
  if (!there) return std::nullopt;
  front_in_file_ = memory_.empty();
  if (!front_in_file_) return memory_.front();
  if (at_ == end_) return std::nullopt;
  return read_file();
}

std::optional<Batch> BatchQueue::read_file() {
  Batch batch{};
  std::size_t size = 0;
  if (!read_header(read_at(file_, at_, header_size), batch, size)) fail("read");
  batch.lines = read_at(file_, at_ + header_size, size);
  if (batch.lines.size() != size) fail("read");
  next_at_ = at_ + header_size + size;
  front_count_ = batch.count;
  return batch;
}

void BatchQueue::pop() {
  const std::lock_guard lock(mutex_);
  if (!front_in_file_) {
    bytes_ -= memory_.front().lines.size();
    memory_.pop_front();
    return;
  }
  at_ = next_at_;
  in_file_ -= front_count_;
  if (at_ < end_) return;
  at_ = end_ = 0;
  if (::ftruncate(file_, 0) != 0) fail("empty");
}

void BatchQueue::copy_rest(int to, std::uint64_t at) const {
  constexpr std::size_t at_a_time = std::size_t{1} << 20;
  for (auto from = at_; from < end_;) {
    const auto some = read_at(
        file_, from, static_cast<std::size_t>(std::min<std::uint64_t>(at_a_time, end_ - from)));
    if (some.empty()) fail("read");
    if (!write_all(to, some, at)) fail("write");
    from += some.size();
    at += some.size();
  }
}

std::uint64_t BatchQueue::settle() {
  const std::lock_guard lock(mutex_);
  auto left = in_file_;
  for (const auto& batch : memory_) left += batch.count;
  if (left == 0) {
    if (::unlink(path_.c_str()) != 0 && errno != ENOENT) fail("remove");
    return 0;
  }
  const auto part = path_ + ".part";
  const int to = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (to < 0) fail("write");
  try {
    std::uint64_t end = 0;
    for (const auto& batch : memory_) append(to, end, batch);
    copy_rest(to, end);
    if (::fsync(to) != 0) fail("write");
  } catch (const stoq::IoError&) {
    ::close(to);
    throw;
  }
  ::close(to);
  if (std::rename(part.c_str(), path_.c_str()) != 0) fail("write");
  return left;
}

void BatchQueue::fail(const char* what) const {
  throw stoq::IoError(std::string("http: cannot ") + what + " the spool '" + path_ +
                      "': " + std::strerror(errno));
}

}  // namespace http_connector
