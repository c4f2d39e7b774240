#include "support/ini.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include <stoq/error.hpp>

#include "support/text.hpp"

namespace stoq::support {
namespace {

/// No configuration is larger: a guard against being pointed at a device or an image.
constexpr std::size_t most_bytes = std::size_t{4} << 20;
/// As configparser's MAX_INTERPOLATION_DEPTH.
constexpr unsigned most_depth = 10;
constexpr std::string_view blanks = " \t\n\r\f\v";
constexpr std::string_view default_section = "DEFAULT";

using Section = Ini::Section;
using Sections = std::map<std::string, Section, std::less<>>;
/// Where each key of a section stands.
using Lines = std::map<std::string, std::map<std::string, std::size_t, std::less<>>, std::less<>>;

std::string_view stripped(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Takes the next line off `rest`; ends at \n, \r\n or \r, as Python's text files do.
std::string_view next_line(std::string_view& rest) {
  const auto end = std::min(rest.find_first_of("\r\n"), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(end);
  if (!rest.empty()) rest.remove_prefix(rest.starts_with("\r\n") ? 2 : 1);
  return line;
}

/// The parsing loop of Python's configparser (strict, no inline comments, empty lines kept inside
/// values), line for line.
class Parser {
 public:
  explicit Parser(const std::string& origin) : origin_(origin) {}

  void parse(std::string_view text) {
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    while (!text.empty()) {
      ++line_number_;
      take(next_line(text));
    }
    for (auto& [name, section] : sections) {
      for (auto& [key, value] : section) {
        value.erase(value.find_last_not_of(blanks) + 1);
      }
    }
  }

  Sections sections;
  Lines lines;

 private:
  void take(std::string_view line) {
    const auto text = stripped(line);
    if (text.empty()) {
      if (value_ != nullptr) *value_ += '\n';
      return;
    }
    if (text.front() == '#' || text.front() == ';') return;
    const auto indent = line.find_first_not_of(blanks);
    if (value_ != nullptr && indent > indent_) {
      (*value_ += '\n') += text;
      return;
    }
    indent_ = indent;
    const auto end = text.rfind(']');
    if (text.front() == '[' && end != text.npos && end > 1) {
      open_section(text.substr(1, end - 1));
    } else {
      open_option(text);
    }
  }

  void open_section(std::string_view name) {
    const auto [section, added] = sections.try_emplace(std::string(name));
    if (!added) fail("section [" + std::string(name) + "] stands here a second time");
    section_ = &section->second;
    section_lines_ = &lines[section->first];
    value_ = nullptr;
  }

  void open_option(std::string_view text) {
    if (section_ == nullptr) fail("a [section] is expected before '" + std::string(text) + "'");
    const auto delimiter = text.find_first_of("=:");
    if (delimiter == text.npos) fail("'key = value' is expected, not '" + std::string(text) + "'");
    const auto key = lower(stripped(text.substr(0, delimiter)));
    if (key.empty()) fail("no key stands before '" + std::string(1, text[delimiter]) + "'");
    const auto [option, added] = section_->try_emplace(key, stripped(text.substr(delimiter + 1)));
    if (!added) fail("'" + key + "' is set a second time in this section");
    section_lines_->emplace(key, line_number_);
    value_ = &option->second;
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw ConfigError(origin_ + ":" + std::to_string(line_number_) + ": " + reason);
  }

  const std::string& origin_;
  std::size_t line_number_ = 0;
  std::size_t indent_ = 0;
  Section* section_ = nullptr;
  Lines::mapped_type* section_lines_ = nullptr;
  std::string* value_ = nullptr;
};

/// configparser's BasicInterpolation: `%(key)s` stands for another option of the section (or of
/// [DEFAULT]), `%%` for a percent sign.
class Interpolation {
 public:
  Interpolation(const Section& values, std::string where)
      : values_(values), where_(std::move(where)) {}

  [[nodiscard]] std::string expand(std::string_view text, unsigned depth = 0) const {
    if (depth > most_depth) fail("its %(…)s go round in a circle");
    std::string out;
    while (true) {
      const auto percent = std::min(text.find('%'), text.size());
      out += text.substr(0, percent);
      text.remove_prefix(percent);
      if (text.empty()) return out;
      if (text.starts_with("%%")) {
        out += '%';
        text.remove_prefix(2);
        continue;
      }
      const auto end = text.find(")s");
      if (!text.starts_with("%(") || end == text.npos) {
        fail("a '%' must be written '%%', or stand in '%(key)s'");
      }
      const auto found = values_.find(lower(text.substr(2, end - 2)));
      if (found == values_.end()) {
        fail("'" + std::string(text.substr(0, end + 2)) + "' names no key of this section");
      }
      out += expand(found->second, depth + 1);
      if (out.size() > most_bytes) fail("its value grows too large");
      text.remove_prefix(end + 2);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw ConfigError(where_ + ": " + reason);
  }
  const Section& values_;
  std::string where_;
};

}  // namespace

Ini Ini::parse(std::string_view text, const std::string& origin) {
  Parser parser(origin);
  parser.parse(text);
  auto& raw = parser.sections;
  Section defaults;
  if (auto node = raw.extract(std::string(default_section))) defaults = std::move(node.mapped());
  const auto default_lines = std::move(parser.lines[std::string(default_section)]);
  parser.lines.erase(parser.lines.find(default_section));
  Ini ini;
  ini.origin_ = origin;
  ini.lines_ = std::move(parser.lines);
  for (auto& [name, section] : raw) {
    section.insert(defaults.begin(), defaults.end());
    ini.lines_[name].insert(default_lines.begin(), default_lines.end());
    auto& out = ini.sections_[name];
    for (const auto& [key, value] : section) {
      const auto where = ini.where(name, key) + ": [" + name + "] " + key;
      out[key] = Interpolation(section, where).expand(value);
    }
  }
  return ini;
}

Ini Ini::read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text;
  std::array<char, 4096> piece{};
  while (in && text.size() <= most_bytes) {
    in.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (!in.eof() && !in.good()) {
    throw IoError(file.string() + ": cannot be read: " + std::strerror(errno) +
                  "; make it a file that this user can read");
  }
  if (text.size() > most_bytes) {
    throw ConfigError(file.string() + " is larger than 4 MiB: this is no configuration file");
  }
  return parse(text, file.string());
}

const Ini::Section& Ini::section(std::string_view name) const& {
  static const Section none;
  const auto found = sections_.find(name);
  return found == sections_.end() ? none : found->second;
}

std::string Ini::get(std::string_view section_name, std::string_view key) const {
  const auto& values = section(section_name);
  const auto found = values.find(key);
  return found == values.end() ? std::string{} : found->second;
}

std::size_t Ini::line(std::string_view section_name, std::string_view key) const {
  const auto lines = lines_.find(section_name);
  if (lines == lines_.end()) return 0;
  const auto line = lines->second.find(key);
  return line == lines->second.end() ? 0 : line->second;
}

std::string Ini::where(std::string_view section_name, std::string_view key) const {
  const auto number = line(section_name, key);
  return number == 0 ? origin_ : origin_ + ":" + std::to_string(number);
}

}  // namespace stoq::support
