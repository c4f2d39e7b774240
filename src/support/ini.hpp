/// Reads .stoq and .cfg files as Python's configparser does (what stoQ's files are written for):
/// sections, `key = value` or `key: value`, keys in lower case, `#` and `;` comments on lines of
/// their own, indented continuation lines, [DEFAULT], `%(key)s` and `%%`; duplicates are refused.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace stoq::support {

class Ini {
 public:
  using Section = std::map<std::string, std::string, std::less<>>;

  /// Throws ConfigError naming `origin` and the line.
  static Ini parse(std::string_view text, const std::string& origin);
  /// Throws IoError, ConfigError.
  static Ini read(const std::filesystem::path& file);

  /// Empty when there is no such section. Section names keep their case.
  [[nodiscard]] const Section& section(std::string_view name) const&;
  const Section& section(std::string_view name) const&& = delete;  // would dangle in a range-for
  /// Empty when absent.
  [[nodiscard]] std::string get(std::string_view section, std::string_view key) const;
  /// Where the key stands: "file:line"; the file alone when it does not stand there.
  [[nodiscard]] std::string where(std::string_view section, std::string_view key) const;
  /// The line alone; 0 when the key does not stand there.
  [[nodiscard]] std::size_t line(std::string_view section, std::string_view key) const;
  [[nodiscard]] const std::map<std::string, Section, std::less<>>& sections() const& {
    return sections_;
  }

 private:
  std::string origin_;
  std::map<std::string, std::map<std::string, std::size_t, std::less<>>, std::less<>> lines_;
  std::map<std::string, Section, std::less<>> sections_;
};

}  // namespace stoq::support
