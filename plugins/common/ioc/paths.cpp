#include <algorithm>
#include <array>

#include "chars.hpp"
#include "finder.hpp"

namespace ioc {
namespace {

/// Longer ones are cut by their window.
constexpr std::size_t most = 1024;

constexpr std::array<std::string_view, 10> hives{"HKEY_LOCAL_MACHINE",
                                                 "HKEY_CURRENT_USER",
                                                 "HKEY_CLASSES_ROOT",
                                                 "HKEY_USERS",
                                                 "HKEY_CURRENT_CONFIG",
                                                 "HKLM",
                                                 "HKCU",
                                                 "HKCR",
                                                 "HKU",
                                                 "HKCC"};

std::string_view without_punctuation(std::string_view path) noexcept {
  while (!path.empty()) {
    const char last = path.back();
    const bool is_open = last == ')' && path.find('(') != path.npos;
    if (is_open || std::string_view(".,:;!?)]}&=~-`").find(last) == std::string_view::npos) break;
    path.remove_suffix(1);
  }
  return path;
}

/// With doubled backslashes made single, except for the pair that begins a UNC path.
std::string single_backslashes(std::string_view written) {
  std::string path;
  path.reserve(written.size());
  for (std::size_t i = 0; i < written.size(); ++i) {
    if (written[i] != '\\' || path.empty() || path.back() != '\\') path += written[i];
  }
  if (written.starts_with("\\\\")) path.insert(path.begin(), '\\');
  return path;
}

/// What may stand before a Unix path.
bool begins_path(char before) noexcept {
  if (static_cast<unsigned char>(before) <= ' ') return true;
  return std::string_view("\"'`=:([{>,;|&").find(before) != std::string_view::npos;
}

}  // namespace

void Finder::add_windows(Type type, std::size_t begin, std::size_t tail) {
  std::size_t size = 0;
  const char quote = before(begin);
  if (quote == '"' || quote == '\'') {
    size = patterns_.quoted_tail.match_at(text_, tail, most);
    if (byte(tail + size) != quote) size = 0;
  }
  if (size == 0) size = patterns_.windows_tail.match_at(text_, tail, most);
  if (size == 0) return;
  skip_to(tail + size);
  floor_ = tail + size;
  const auto written = without_punctuation(text_.substr(begin, tail + size - begin));
  auto path = single_backslashes(written);
  // A lone letter behind the first backslash is more often an escape such as \n.
  const auto first = tail - begin + 1;
  if (path.size() < first + 2 || path[first + 1] == '\\') return;
  found_.add(type, std::move(path));
}

void Finder::on_backslash(std::size_t at) {
  const char last = before(at);
  if (byte(at + 1) == '.') {
    if (is_host(last)) judge_defanged(label_begin(at));
  } else if (last == ':') {
    if (at >= 2 && is_alpha(text_[at - 2]) && !is_alnum(before(at - 2))) {
      add_windows(Type::windows_path, at - 2, at);
    }
  } else if (last == '%') {
    auto begin = at - 1;
    const auto least = at - std::min<std::size_t>(at, 40);
    while (begin > least &&
           (is_host(text_[begin - 1]) || text_[begin - 1] == '(' || text_[begin - 1] == ')')) {
      --begin;
    }
    if (begin + 2 < at && before(begin) == '%') {
      add_windows(Type::windows_path, begin - 1, at);
    }
  } else if (is_alpha(last)) {
    for (const auto hive : hives) {
      if (at < hive.size() || text_.substr(at - hive.size(), hive.size()) != hive) continue;
      const auto begin = at - hive.size();
      if (!is_host(before(begin))) add_windows(Type::registry_key, begin, at);
      return;
    }
  } else if (byte(at + 1) == '\\' && last != '\\' && !is_host(last)) {
    const auto size = patterns_.unc_tail.match_at(text_, at, most);
    if (size == 0) return;
    found_.add(Type::windows_path, single_backslashes(without_punctuation(text_.substr(at, size))));
    skip_to(at + size);
    floor_ = at + size;
  }
}

void Finder::on_slash(std::size_t at) {
  if (byte(at + 1) == 'a' || byte(at + 1) == 'A') {
    if (const auto size = patterns_.at.match_at(text_, at, 4); size != 0) {
      return on_spoken_at(at, at + size);
    }
  }
  if (at < url_end_) return;
  std::size_t begin = at;
  std::size_t size = 0;
  if (before(at) == '~') {
    begin = at - 1;
    if (begins_path(before(begin))) size = 1 + patterns_.home_tail.match_at(text_, at, most);
  } else if (begins_path(before(at)) && is_alpha(byte(at + 1))) {
    size = patterns_.unix_path.match_at(text_, at, most);
  }
  if (size < 3) return;
  skip_to(begin + size);
  floor_ = begin + size;
  found_.add(Type::unix_path, std::string(without_punctuation(text_.substr(begin, size))));
}

}  // namespace ioc
