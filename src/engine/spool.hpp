/// What is known of a root's payloads until the root is done: entries appended by many threads,
/// kept in memory up to a limit, then in an unlinked file, so that a root with a million payloads
/// costs no more than its index.
#pragma once

#include <array>
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
  [[nodiscard]] bool in_file() const noexcept { return file_ >= 0; }
  /// Bytes held in memory and in the file.
  [[nodiscard]] std::size_t in_memory_bytes() const noexcept { return memory_.capacity(); }
  [[nodiscard]] std::uint64_t in_file_bytes() const noexcept { return in_file_; }

  /// Reads entries back. Not while anybody appends; many may read at a time, each with its own.
  class Reader {
   public:
    explicit Reader(const Spool& spool) noexcept : spool_(spool) {}
    /// The entry at `offset`; still valid after the next two reads. Throws IoError.
    [[nodiscard]] std::string_view read(std::uint64_t offset);

   private:
    struct Window {
      std::uint64_t at = 0, used = 0;  ///< the number of the read that it served last
      std::string bytes;
      [[nodiscard]] bool holds(std::uint64_t offset, std::size_t size) const noexcept {
        return offset >= at && offset - at <= bytes.size() && size <= bytes.size() - (offset - at);
      }
    };
    [[nodiscard]] Window* find(std::uint64_t offset, std::size_t size) noexcept;
    [[nodiscard]] Window& least_used() noexcept;
    void load(Window& window, std::uint64_t offset, std::size_t size) const;

    const Spool& spool_;
    std::array<Window, 3> windows_;  ///< parts of the file: a read takes one, at most
    std::uint64_t reads_ = 0;
  };

 private:
  void flush();

  std::mutex mutex_;
  std::size_t limit_;
  std::string memory_;         // the tail that is not in the file yet
  std::uint64_t in_file_ = 0;  // bytes before memory_
  int file_ = -1;
};

}  // namespace stoq::engine
