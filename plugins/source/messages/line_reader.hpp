/// Lines of a file, a pipe or standard input, in bounded memory. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace messages {

class LineReader {
 public:
  static constexpr std::size_t most = std::size_t{1} << 20;  ///< bytes of a line that are kept

  struct Line {
    std::string text;
    std::uint64_t number = 0;  ///< from 1
    bool too_long = false;     ///< `text` is only its beginning
  };

  /// `path` may be "-". Throws IoError.
  explicit LineReader(const std::string& path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line that is not empty; nothing at the end, and once `go_on`, which is called before
  /// each wait of a tenth of a second, is false. Throws IoError.
  std::optional<Line> next(const std::function<bool()>& go_on);

 private:
  bool fill(const std::function<bool()>& go_on);

  std::string path_, waiting_;
  std::size_t begin_ = 0;
  std::uint64_t number_ = 0;
  int descriptor_;
  bool ended_ = false;
};

}  // namespace messages
