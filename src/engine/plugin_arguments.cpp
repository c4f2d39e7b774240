#include "engine/plugin_arguments.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <stoq/error.hpp>

#include "support/text.hpp"

namespace stoq::engine {
namespace {

constexpr std::string_view section = "arguments";
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view name_characters = "abcdefghijklmnopqrstuvwxyz0123456789-_";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\n";
  const auto first = text.find_first_not_of(blanks);
  return first == text.npos ? std::string_view{}
                            : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

class Reading {
 public:
  Reading(PluginArgument& argument, std::string_view text) : argument_(argument), text_(text) {}

  void read() {
    const auto end = end_of_names();
    argument_.help = trimmed(text_.substr(std::min(end + 1, text_.size())));
    std::replace(argument_.help.begin(), argument_.help.end(), '\n', ' ');
    argument_.help = support::one_line(argument_.help);
    auto names = trimmed(text_.substr(0, end));
    while (!names.empty()) {
      const auto comma = std::min(names.find(','), names.size());
      auto name = trimmed(names.substr(0, comma));
      names.remove_prefix(std::min(comma + 1, names.size()));
      if (const auto blank = name.find_first_of(" \t"); blank != name.npos && names.empty()) {
        argument_.metavar = support::one_line(trimmed(name.substr(blank)));
        name = name.substr(0, blank);
      }
      add_name(name);
    }
    if (argument_.name.empty()) fail("it has no long name");
    if (argument_.help.empty()) fail("it does not say what it is for");
    if (argument_.metavar.find_first_of(" \t") != std::string::npos) {
      fail("'" + argument_.metavar + "' is no single word");
    }
    if (argument_.metavar.empty() && argument_.is_list()) fail("a list needs a value");
  }

 private:
  /// The first colon with a blank, or nothing, behind it: a placeholder may be KEY:VALUE.
  [[nodiscard]] std::size_t end_of_names() const {
    auto at = text_.find(':');
    while (at != text_.npos && at + 1 < text_.size() && trimmed(text_.substr(at + 1, 1)) != "") {
      at = text_.find(':', at + 1);
    }
    return std::min(at, text_.size());
  }

  void add_name(std::string_view name) {
    if (name.starts_with("--") && argument_.name.empty()) {
      argument_.name = name.substr(2);
      const bool sound = argument_.name.find_first_not_of(name_characters) == std::string::npos &&
                         argument_.name.size() > 1 && argument_.name.front() != '-';
      if (sound) return;
    } else if (name.size() == 2 && name[0] == '-' && argument_.letter == '\0') {
      argument_.letter = name[1];
      if (letters.find(argument_.letter) != letters.npos) return;
    }
    fail("'" + std::string(name) + "' is no name");
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw ConfigError(argument_.place + ": '" + std::string(text_) + "' is no argument: " + reason +
                      "; write it as '-r, --rules FILE: Path to a rules file', or without FILE");
  }

  PluginArgument& argument_;
  std::string_view text_;
};

void check_distinct(const std::vector<PluginArgument>& arguments) {
  for (auto one = arguments.begin(); one != arguments.end(); ++one) {
    for (auto other = arguments.begin(); other != one; ++other) {
      const bool same_letter = one->letter != '\0' && one->letter == other->letter;
      if (!same_letter && one->name != other->name) continue;
      throw ConfigError(one->place + ": " +
                        (same_letter ? std::string("-") + one->letter : "--" + one->name) +
                        " is taken by '" + other->option + "'; choose another");
    }
  }
}

}  // namespace

bool PluginArgument::is_list() const {
  return option.ends_with("_list") || option.ends_with("_tuple");
}

std::string PluginArgument::flag_value() const {
  return name.starts_with("no-") ? "false" : "true";
}

std::vector<PluginArgument> read_arguments(const support::Ini& file) {
  std::vector<std::pair<std::size_t, PluginArgument>> by_line;
  for (const auto& [option, text] : file.section(section)) {
    PluginArgument argument;
    argument.option = option;
    argument.place = file.where(section, option);
    Reading(argument, text).read();
    by_line.emplace_back(file.line(section, option), std::move(argument));
  }
  std::stable_sort(by_line.begin(), by_line.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<PluginArgument> arguments;
  for (auto& [line, argument] : by_line) arguments.push_back(std::move(argument));
  check_distinct(arguments);
  return arguments;
}

}  // namespace stoq::engine
