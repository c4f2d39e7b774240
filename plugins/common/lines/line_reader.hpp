/// Lines of a file, a pipe or standard input, in bounded memory. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace stoq::common {

/// How a LineReader reads.
struct LineRules {
  std::string what;      ///< begins the message of an error: "cannot read the list"
  std::size_t most = 0;  ///< bytes of a line that are kept
  /// Lines end with a NUL if there is one in the first 64 KiB, for which it waits; else, and
  /// without this, with a line end.
  bool may_end_with_nul = false;
};

class LineReader {
 public:
  struct Line {
    std::string text;
    std::uint64_t number = 0;  ///< from 1
    bool too_long = false;     ///< `text` is only its beginning
  };
  /// Called before each wait of a tenth of a second; false: stop reading.
  using GoOn = std::function<bool()>;

  /// `path` may be "-". Throws IoError.
  LineReader(std::string path, LineRules rules);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// The next line that is not empty; nothing at the end, and once it is told to stop. Throws
  /// IoError.
  std::optional<Line> next(const GoOn& go_on);

 private:
  [[noreturn]] void fail() const;
  bool fill(const GoOn& go_on);
  bool find_separator(const GoOn& go_on);

  std::string path_, waiting_;
  LineRules rules_;
  std::size_t begin_ = 0;
  std::uint64_t number_ = 0;
  std::optional<char> separator_;
  int descriptor_;
  bool ended_ = false;
};

}  // namespace stoq::common
