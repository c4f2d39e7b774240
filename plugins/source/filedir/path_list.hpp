/// A list of paths in a file or on standard input, read as a stream in bounded memory. One thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace filedir {

/// Entries end with a NUL if there is one in the first 64 KiB, else with a line end.
class PathList {
 public:
  struct Entry {
    std::string path;
    bool too_long = false;  ///< `path` is only its beginning
  };

  /// `file` may be "-". Throws IoError.
  explicit PathList(const std::string& file);
  ~PathList();
  PathList(const PathList&) = delete;
  PathList& operator=(const PathList&) = delete;

  /// The next entry that is not empty; nothing at the end. Throws IoError.
  std::optional<Entry> next();

 private:
  /// Reads until `least` bytes wait or the list ends.
  void fill(std::size_t least);

  std::string file_, waiting_;
  std::size_t begin_ = 0;
  int descriptor_;
  char separator_ = '\n';
  bool ended_ = false;
  bool in_long_ = false;  ///< the beginning of what comes was handed out already
};

}  // namespace filedir
