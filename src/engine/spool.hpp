/// What is known of a root's payloads until the root is done: entries appended by many threads,
/// kept in memory up to a limit, then in an unlinked file, so that a root with a million payloads
/// costs no more than its index.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace stoq::engine {

class Spool {
 public:
  /// `limit`: bytes kept in memory.
  explicit Spool(std::size_t limit = std::size_t{256} << 10) : limit_(limit) {}
  ~Spool();
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  /// Where the entry begins. Thread-safe. Throws IoError.
  std::uint64_t append(std::string_view entry);
  /// The entry at `offset`; valid until the next read. Not while anybody appends. Throws IoError.
  [[nodiscard]] std::string_view read(std::uint64_t offset);
  [[nodiscard]] bool in_file() const noexcept { return file_ >= 0; }
  void clear();

 private:
  void flush();
  void load(std::uint64_t offset, std::size_t size);

  std::mutex mutex_;
  std::size_t limit_;
  std::string memory_;         // the tail that is not in the file yet
  std::uint64_t in_file_ = 0;  // bytes before memory_
  int file_ = -1;
  std::string window_;  // what was read last
  std::uint64_t window_at_ = 0;
};

}  // namespace stoq::engine
