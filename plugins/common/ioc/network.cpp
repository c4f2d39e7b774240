// Domain names, IP and MAC addresses.
#include <algorithm>
#include <utility>

#include "addresses.hpp"
#include "chars.hpp"
#include "finder.hpp"

namespace ioc {
namespace {

/// Whether two digits and a colon take turns throughout.
bool is_pairs(std::string_view run) noexcept {
  for (std::size_t i = 0; i < run.size(); ++i) {
    if ((run[i] == ':') != (i % 3 == 2)) return false;
  }
  return true;
}

}  // namespace

std::size_t Finder::label_begin(std::size_t end) const {
  const auto least = std::max(floor_, end - std::min(end, most_local));
  while (end > least && is_host(text_[end - 1])) --end;
  return end;
}

bool Finder::has_odd_dot(std::size_t at) const {
  if (byte(at) == '\\') return byte(at + 1) == '.';
  if (byte(at) == '.') return is_closing(byte(at + 1));
  if (byte(at) == ' ') ++at;
  if (!is_opening(byte(at))) return false;
  const auto inner = skip_blanks(at + 1, 2);
  return byte(inner) == '.' || has_word(inner, "dot");
}

void Finder::add_host(const Host& host) {
  if (host.kind == Host::Kind::domain) found_.add(Type::domain, host.text);
  if (host.kind == Host::Kind::ipv4) found_.add(Type::ipv4, host.text);
  if (host.kind == Host::Kind::ipv6) found_.add(Type::ipv6, host.text);
}

void Finder::on_dot(std::size_t at) {
  if (!is_host(before(at))) return;
  const char next = byte(at + 1);
  if (!is_host(next)) {
    if (is_closing(next)) judge_defanged(label_begin(at));
    return;
  }
  const auto begin = label_begin(at);
  if (begin == at) return;
  auto end = at + 1;
  // One more than a name may have: what is longer is no name, and is judged in parts.
  const auto most = std::min(text_.size(), begin + most_host + 1);
  while (end < most && (is_host(text_[end]) || (text_[end] == '.' && is_host(byte(end + 1))))) {
    ++end;
  }
  if (has_odd_dot(end)) return judge_defanged(begin);
  skip_to(end);
  // The part of an address before its '@'.
  if (byte(end) != '@') judge_run(begin, end);
}

void Finder::judge_run(std::size_t begin, std::size_t end) {
  const auto run = text_.substr(begin, end - begin);
  if (is_digit(run[run.find('.') - 1]) && is_digit(run[run.find('.') + 1])) {
    const bool has_address = add_addresses(run, begin);
    if (has_address) floor_ = end;
    if (has_address || is_digit(run.back())) return;
  }
  if (before(begin) == '%' && is_hex(byte(begin)) && is_hex(byte(begin + 1))) begin += 2;
  while (begin < end && byte(begin) == '-') ++begin;
  while (end > begin && !is_alnum(text_[end - 1])) --end;
  const auto written = text_.substr(begin, end - begin);
  const auto tld = tld_of(written);
  if (tld.size() < 2 || tld.size() == written.size() || !is_alpha(tld.front())) return;
  if (!tlds_.contains(lowered(tld))) return;
  const auto host = classify(written, tlds_);
  if (host.kind != Host::Kind::domain || !is_plain_domain(begin, end, host)) return;
  add_host(host);
  floor_ = end;
}

bool Finder::is_plain_domain(std::size_t begin, std::size_t end, const Host& host) const {
  const auto written = text_.substr(begin, end - begin);
  const char next = byte(end);
  const char last = before(begin);
  // The name of a file, of a member of a program's object, a handle.
  if (last == '\\' || last == '@' || last == '$') return false;
  if (last == '/' && !(begin >= 2 && text_[begin - 2] == '/')) return false;
  if (end < text_.size() && std::string_view("([=+%").find(next) != std::string_view::npos) {
    return false;
  }
  if (is_binary_) {
    const bool is_text = is_beside_text(last) && (end >= text_.size() || is_beside_text(next));
    if (!is_text || written.size() < 6) return false;
  }
  const auto tld = tld_of(written);
  const bool has_upper = std::any_of(tld.begin(), tld.end(), is_upper);
  const bool has_lower = std::any_of(written.begin(), written.end(),
                                     [](char c) { return is_alpha(c) && !is_upper(c); });
  if (has_upper && has_lower) return false;
  const std::string_view name = host.text;
  if (ambiguous_.contains(tld_of(name)) && !name.starts_with("www.")) return false;
  const auto labels = std::count(name.begin(), name.end(), '.') + 1;
  const auto first = name.substr(0, name.find('.'));
  if (labels == 2 && first.size() == 1) {
    const auto end_of = tld_of(name);
    return end_of == "com" || end_of == "co" || end_of == "org" || end_of == "net";
  }
  // A package of a program: names turned round.
  const bool is_reversed =
      first == "com" || first == "org" || first == "net" || first == "java" || first == "javax";
  return labels == 2 || !is_reversed;
}

bool Finder::is_version(std::size_t begin, std::size_t end) const {
  const char last = before(begin);
  const char next = byte(end);
  if (next == '+' || next == '~' || next == '_') return true;
  // 1.2.3.4-1 is the revision of a package, 1.2.3.4-1.2.3.9 is a range.
  if (next == '-' && is_alnum(byte(end + 1))) {
    if (patterns_.ipv4.match_at(text_, end + 1, 15) == 0) return true;
  }
  if (last == '/' && begin < url_end_) return true;
  if (last == '-' || last == '_') return begin >= 2 && is_alpha(text_[begin - 2]);
  auto word_end = begin;
  while (word_end > 0 && begin - word_end < 3 &&
         std::string_view(" .:=").find(text_[word_end - 1]) != std::string_view::npos) {
    --word_end;
  }
  auto word = word_end;
  while (word > 0 && word_end - word < 16 && is_alpha(text_[word - 1])) --word;
  const auto name = lowered(text_.substr(word, word_end - word));
  return name == "v" || name == "ver" || name == "version" || name == "versions" ||
         name == "release" || name == "rev" || name == "revision" || name == "oid";
}

bool Finder::add_addresses(std::string_view run, std::size_t text_at) {
  if (std::count(run.begin(), run.end(), '.') < 3) return false;
  bool has_any = false;
  std::size_t at = 0;
  for (;;) {
    const auto match = patterns_.ipv4.find(run, at);
    if (match.empty()) return has_any;
    const auto begin = static_cast<std::size_t>(match.data() - run.data());
    at = begin + match.size();
    const bool is_whole = (begin == 0 || (!is_digit(run[begin - 1]) && run[begin - 1] != '.')) &&
                          (at == run.size() || (!is_digit(run[at]) && run[at] != '.'));
    const bool is_plain = text_at != std::string_view::npos;
    if (!is_whole) continue;
    has_any = true;
    if (is_plain && is_version(text_at + begin, text_at + at)) continue;
    found_.add(Type::ipv4, std::string(match));
  }
}

void Finder::on_odd_dot(std::size_t at) {
  if (at > 0 && text_[at - 1] == ' ') --at;
  auto begin = at;
  const auto least = std::max(floor_, at - std::min(at, most_host));
  while (begin > least && (is_host(text_[begin - 1]) || text_[begin - 1] == '.')) --begin;
  while (begin < at && text_[begin] == '.') ++begin;
  if (begin < at) judge_defanged(begin);
}

void Finder::judge_defanged(std::size_t begin) {
  while (byte(begin) == '-') ++begin;
  const auto size = patterns_.host.match_at(text_, begin, most_defanged);
  if (size == 0) return;
  const auto end = begin + size;
  const auto written = text_.substr(begin, size);
  auto plain = refanged(written, patterns_);
  while (!plain.empty() && !is_alnum(plain.back())) plain.pop_back();
  skip_to(end);
  if (byte(end) == '@') return;
  const auto host = classify(plain, tlds_);
  if (host.kind == Host::Kind::none) {
    if (add_addresses(plain, std::string_view::npos)) floor_ = end;
    return;
  }
  // A backslash before a dot is how regular expressions write it: no proof of an indicator.
  if (host.kind == Host::Kind::domain && written.find('\\') != written.npos &&
      !is_plain_domain(begin, end, host)) {
    return;
  }
  add_host(host);
  floor_ = end;
  const char next = byte(end);
  if (next == '/' || next == ':' || is_opening(next)) add_url({}, {}, host, end);
}

void Finder::on_colon(std::size_t at) {
  const char next = byte(at + 1);
  if (next == '/' || next == '\\' || next == '[' || next == '(') {
    const auto size = patterns_.separator.match_at(text_, at, 8);
    if (size != 0) on_url(at, size);
    return;
  }
  if ((is_hex(next) || next == ':') && (is_hex(before(at)) || is_hex(next))) on_colon_run(at);
}

void Finder::on_colon_run(std::size_t at) {
  const auto of_run = [this](std::size_t i) { return is_hex(byte(i)) || byte(i) == ':'; };
  auto begin = at;
  const auto least = std::max(floor_, at - std::min<std::size_t>(at, 6));
  while (begin > least && of_run(begin - 1)) --begin;
  auto end = at;
  if (byte(at) == '-') {
    end = at + 15;
  } else {
    while (of_run(end)) ++end;
  }
  skip_to(end);
  if (is_host(before(begin)) || is_host(byte(end))) return;
  auto run = text_.substr(begin, end - begin);
  if (run.size() == 17 && patterns_.mac.match_at(run, 0, run.size()) == run.size()) {
    auto mac = lowered(run);
    std::replace(mac.begin(), mac.end(), '-', ':');
    if (mac != "00:00:00:00:00:00" && mac != "ff:ff:ff:ff:ff:ff") {
      found_.add(Type::mac_address, std::move(mac));
    }
    return;
  }
  if (run.size() > 45) return;
  if (byte(end) == '.' && run.find("::") != run.npos && is_digit(run.back())) {
    const auto tail = patterns_.ipv4.match_at(text_, begin + run.rfind(':') + 1, 15);
    if (tail != 0) run = text_.substr(begin, run.rfind(':') + 1 + tail);
  } else if (run.ends_with(':') && !run.ends_with("::")) {
    run.remove_suffix(1);
  }
  const auto address = parse_address(run);
  if (!address || !address->is_v6) return;
  const auto groups = std::count(run.begin(), run.end(), ':') + 1;
  const bool is_short = run.find("::") != run.npos;
  // Eight bytes in pairs are a serial number; "::1" and "a::b" stand in every program.
  if (is_pairs(run)) return;
  if (is_short && groups < 4 && run.find(':') < 3) return;
  if (std::none_of(run.begin(), run.end(), is_digit)) return;
  found_.add(Type::ipv6, address->text());
  floor_ = begin + run.size();
}

}  // namespace ioc
