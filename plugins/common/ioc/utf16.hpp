/// Finds UTF-16 text among other bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ioc {

/// Walks over the runs of at least `least` printable ASCII characters with a NUL behind each.
class Utf16Runs {
 public:
  static constexpr std::size_t least = 8;

  explicit Utf16Runs(std::string_view bytes) noexcept : bytes_(bytes) {}

  /// Appends the characters of runs, each run followed by a line feed, until `most` characters were
  /// added or the end is reached. False when nothing was added.
  bool append(std::string& text, std::size_t most);
  /// How far it has come.
  [[nodiscard]] std::size_t offset() const noexcept { return at_; }

 private:
  [[nodiscard]] std::size_t next_run() noexcept;

  std::string_view bytes_;
  std::size_t at_ = 0;  ///< what is before is done with
};

}  // namespace ioc
