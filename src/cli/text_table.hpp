/// Text in columns, and numbers as people read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace stoq::cli {

/// "1,234,567".
[[nodiscard]] std::string grouped(std::uint64_t number);
/// With `digits` behind the point.
[[nodiscard]] std::string fixed(double number, int digits);
/// How many characters the UTF-8 text has.
[[nodiscard]] std::size_t width_of(std::string_view text);
/// Safe to show on a terminal: control characters and broken UTF-8 as '?'; at most `width`
/// characters, the last one "…" when more is left out.
[[nodiscard]] std::string shown(std::string_view text, std::size_t width);

enum class Align : std::uint8_t { left, right };

/// Rows of cells; every column as wide as its widest cell.
class TextTable {
 public:
  explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }
  /// One string a row, without line ends, cells two spaces apart.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Two blocks of lines, one beside the other.
[[nodiscard]] std::vector<std::string> beside(std::vector<std::string> left,
                                              const std::vector<std::string>& right);

}  // namespace stoq::cli
