#include "cli/option_kinds.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "support/text.hpp"

namespace stoq::cli {
namespace {

/// CLI11 takes a positional "[a,b]" for a list. An argument in brackets therefore goes through it
/// behind a byte that no one writes, and those that do get another in front.
constexpr char bracket_mark = '\x01';

bool is_bracketed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(bracket_mark), text.size()));
  return text.size() > 1 && text.front() == '[' && text.back() == ']';
}

std::vector<std::string> unmarked(std::vector<std::string> texts) {
  for (auto& text : texts) text = unmark_argument(std::move(text));
  return texts;
}

}  // namespace

std::string mark_argument(std::string text) {
  if (is_bracketed(text)) text.insert(text.begin(), bracket_mark);
  return text;
}

std::string unmark_argument(std::string text) {
  if (text.starts_with(bracket_mark) && is_bracketed(text)) text.erase(0, 1);
  return text;
}

CLI::Option* add_text(CLI::App& app, const std::string& name, const std::string& type,
                      const std::string& help, std::function<void(const std::string&)> set) {
  return app
      .add_option_function<std::string>(
          name, [set = std::move(set)](const std::string& text) { set(unmark_argument(text)); },
          help)
      ->type_name(type)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CLI::Option* add_size(CLI::App& app, const std::string& name, const std::string& help,
                      std::function<void(std::uint64_t)> set) {
  return add_text(app, name, "SIZE", help, [name, set = std::move(set)](const std::string& text) {
    const auto size = support::parse_size(text);
    if (!size) {
      throw CLI::ValidationError(name,
                                 "'" + text + "' is no size; write bytes, or 64K, 512M, 1.5G");
    }
    set(*size);
  });
}

CLI::Option* add_count(CLI::App& app, const std::string& name, std::uint64_t least,
                       std::uint64_t most, const std::string& help,
                       std::function<void(std::uint64_t)> set) {
  return add_text(app, name, "N", help,
                  [name, least, most, set = std::move(set)](const std::string& text) {
                    std::uint64_t number = 0;
                    const auto* end = text.data() + text.size();
                    const auto [stop, failure] = std::from_chars(text.data(), end, number);
                    if (failure != std::errc{} || stop != end || number < least || number > most) {
                      auto range = " from " + std::to_string(least) + " up";
                      if (most != std::numeric_limits<std::uint64_t>::max()) {
                        range = " from " + std::to_string(least) + " to " + std::to_string(most);
                      }
                      throw CLI::ValidationError(name, "'" + text + "' is no whole number" + range);
                    }
                    set(number);
                  });
}

CLI::Option* add_seconds(CLI::App& app, const std::string& name, double& target,
                         const std::string& help) {
  return add_text(app, name, "SECONDS", help, [name, &target](const std::string& text) {
    double seconds = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, failure] = std::from_chars(text.data(), end, seconds);
    // Not `<=`: a NaN must fail as well.
    if (failure != std::errc{} || stop != end || !(seconds > 0) || seconds > 1e9) {
      throw CLI::ValidationError(name,
                                 "'" + text + "' is no time; write seconds, such as 60 or 0.5");
    }
    target = seconds;
  });
}

CLI::Option* add_list(CLI::App& app, const std::string& name, const std::string& type,
                      std::vector<std::string>& target, const std::string& help) {
  using Texts = std::vector<std::string>;
  return app
      .add_option_function<Texts>(
          name, [&target](const Texts& texts) { target = unmarked(texts); }, help)
      ->type_name(type)
      ->allow_extra_args(false);
}

}  // namespace stoq::cli
