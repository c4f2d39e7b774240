/// A file that appears under its name once it is whole, or one that is added to. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace file_connector {

enum class Mode : std::uint8_t {
  replace,  ///< written as `<path>.part` and renamed by finish(); without it the `.part` stays
  append    ///< added to what is there; what could not be written whole is taken back
};

/// What exists under the name and is no regular file (a device, a fifo) is written in place.
class OutputFile {
 public:
  /// Throws IoError, naming the path.
  OutputFile(const std::string& path, Mode mode);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// All of it, or none that stays, when appending. Throws IoError.
  void write(std::string_view bytes);
  /// Whether it ends in the middle of a line; when appending only.
  [[nodiscard]] bool ends_in_line() const noexcept { return ends_in_line_; }
  /// Gives the file its name; `sync`: after its bytes are on the disk.
  void finish(bool sync);

 private:
  [[noreturn]] void fail(const std::string& what) const;
  [[nodiscard]] bool lock() const;
  void open(int flags);
  void begin_part();
  void look_at_end();
  void close();

  std::string path_;       ///< where the file ends, links resolved
  std::string part_;       ///< where it is written; equal to path_ when written in place
  std::int64_t end_ = -1;  ///< of what is written whole; -1: it cannot be cut there
  bool ends_in_line_ = false;
  int descriptor_ = -1;
};

}  // namespace file_connector
