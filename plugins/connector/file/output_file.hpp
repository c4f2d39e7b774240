/// A file that appears under its name once it is whole. One thread.
#pragma once

#include <string>
#include <string_view>

namespace file_connector {

/// Written as `<path>.part` and renamed by finish(). What exists under the name and is no regular
/// file (a device, a fifo) is written in place. Without finish() the `.part` stays behind.
class OutputFile {
 public:
  /// Throws IoError, naming the path.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::string_view bytes);
  /// Gives the file its name; `sync`: after its bytes are on the disk.
  void finish(bool sync);

 private:
  [[noreturn]] void fail(const std::string& what) const;
  [[nodiscard]] bool lock() const;
  void close();

  std::string path_;  ///< where the file ends, links resolved
  std::string part_;  ///< where it is written; equal to path_ when written in place
  int descriptor_ = -1;
};

}  // namespace file_connector
