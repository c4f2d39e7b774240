#include "cli/text_table.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "cli/progress.hpp"
#include "support/json.hpp"

namespace stoq::cli {
namespace {

std::string trimmed_end(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

}  // namespace

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, 1, ',');
  }
  return text;
}

std::string fixed(double number, int digits) {
  std::array<char, 400> text{};  // the largest double has 309 digits before the point
  auto* const end = std::to_chars(text.data(), text.data() + text.size(), number,
                                  std::chars_format::fixed, digits)
                        .ptr;
  return std::string(text.data(), end);
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

std::string shown(std::string_view text, std::size_t width) {
  std::string safe(text);
  const bool utf8 = support::is_utf8(text);
  for (auto& byte : safe) {
    const auto code = static_cast<unsigned char>(byte);
    if (code < 0x20 || code == 0x7F || (!utf8 && code >= 0x80)) byte = '?';
  }
  if (width_of(safe) <= width || width == 0) return safe;
  return clipped(safe, width - 1) + "…";
}

std::vector<std::string> TextTable::lines() const {
  std::vector<std::size_t> widths(columns_.size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::vector<std::string> lines;
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string padding(widths[i] - width_of(row[i]), ' ');
      if (i != 0) line += "  ";
      line += columns_[i] == Align::left ? row[i] + padding : padding + row[i];
    }
    lines.push_back(trimmed_end(std::move(line)));
  }
  return lines;
}

std::vector<std::string> beside(std::vector<std::string> left,
                                const std::vector<std::string>& right) {
  std::size_t width = 0;
  for (const auto& line : left) width = std::max(width, width_of(line));
  left.resize(std::max(left.size(), right.size()));
  for (std::size_t i = 0; i < right.size(); ++i) {
    left[i] += std::string(width - width_of(left[i]) + 4, ' ') + right[i];
  }
  for (auto& line : left) line = trimmed_end(std::move(line));
  return left;
}

}  // namespace stoq::cli
