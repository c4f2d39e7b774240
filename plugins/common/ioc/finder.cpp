#include "finder.hpp"

#include <algorithm>

#include "chars.hpp"

namespace ioc {

bool Finder::has_word(std::size_t at, std::string_view word) const noexcept {
  if (at > text_.size() || text_.size() - at < word.size()) return false;
  return std::equal(word.begin(), word.end(), text_.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, char b) { return a == lower(b); });
}

std::size_t Finder::skip_blanks(std::size_t at, std::size_t most) const noexcept {
  for (; most > 0 && is_blank(byte(at)); --most) ++at;
  return at;
}

bool Finder::run(std::string_view text, const stoq::Request& request) {
  constexpr std::size_t step = std::size_t{1} << 20U;
  text_ = text;
  anchors_ = Anchors(text);
  is_binary_ = text.substr(0, 8192).find('\0') != text.npos;
  floor_ = url_end_ = 0;
  std::size_t look = step;
  for (auto at = anchors_.next(); at != Anchors::none; at = anchors_.next()) {
    if (at >= look) {
      if (request.stop_requested()) return false;
      look = at + step;
    }
    at_anchor(at);
  }
  if (found_.wants(Type::yara_rule)) on_yara_rules();
  return true;
}

void Finder::at_anchor(std::size_t at) {
  switch (text_[at]) {
    case '.':
      return on_dot(at);
    case ':':
      return on_colon(at);
    case '@':
      return on_at(at, at + 1);
    case '\\':
      return on_backslash(at);
    case '/':
      return on_slash(at);
    case '-':
      return on_dash(at);
    case ' ':
      return on_spoken_at(at, at + 4);
    default:
      return on_bracket(at);
  }
}

void Finder::on_bracket(std::size_t at) {
  const auto inner = skip_blanks(at + 1, 4);
  switch (byte(inner)) {
    case '.':
      return on_odd_dot(at);
    case 'd':
    case 'D':
      if (has_word(inner, "dot")) on_odd_dot(at);
      return;
    case 'a':
    case 'A':
    case '@':
      if (const auto size = patterns_.at.match_at(text_, at, 16); size != 0) on_at(at, at + size);
      return;
    case ':':
      if (const auto size = patterns_.separator.match_at(text_, at, 8); size != 0) {
        on_url(at, size);
      }
      return;
    default:
      return;
  }
}

void Finder::on_dash(std::size_t at) {
  if (at >= 3 && lower(text_[at - 1]) == 'e') {
    const auto size = patterns_.cve.match_at(text_, at - 3, 24);
    if (size == 0 || is_alnum(before(at - 3)) || is_digit(byte(at - 3 + size))) return;
    auto id = std::string(text_.substr(at - 3, size));
    std::copy_n("CVE", 3, id.begin());
    found_.add(Type::cve, std::move(id));
    skip_to(at - 3 + size);
  } else if (at >= 2 && byte(at + 3) == '-' && is_hex(text_[at - 1])) {
    if (patterns_.mac.match_at(text_, at - 2, 17) == 17) on_colon_run(at);
  }
}

void Finder::on_yara_rules() {
  if (text_.find("condition") == text_.npos) return;
  std::size_t at = 0;
  for (;;) {
    auto rule = patterns_.yara_rule.find(text_, at);
    if (rule.empty()) return;
    at = static_cast<std::size_t>(rule.data() - text_.data()) + rule.size();
    rule.remove_prefix(std::min(rule.find_first_not_of(" \t\r\n\f\v"), rule.size()));
    found_.add(Type::yara_rule, std::string(rule));
  }
}

}  // namespace ioc
