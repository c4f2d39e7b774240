// URLs.
#include <algorithm>
#include <array>
#include <utility>

#include "addresses.hpp"
#include "chars.hpp"
#include "finder.hpp"

namespace ioc {
namespace {

constexpr std::size_t most_url = 2048;

bool is_scheme(char c) noexcept { return is_alnum(c) || c == '+' || c == '*' || c == '-'; }

/// The scheme that `written` ends with, refanged; empty when there is none. What stands glued
/// before a well-known one is no part of it.
std::string scheme_in(std::string_view written, bool is_backslashed) {
  const auto name = lowered(written);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 13> known{{
      {"https", "https"},
      {"hxxps", "https"},
      {"h**ps", "https"},
      {"meows", "https"},
      {"http", "http"},
      {"hxxp", "http"},
      {"h**p", "http"},
      {"meow", "http"},
      {"sftp", "sftp"},
      {"ftps", "ftps"},
      {"fxps", "ftps"},
      {"ftp", "ftp"},
      {"fxp", "ftp"},
  }};
  for (const auto& [end, scheme] : known) {
    if (name.ends_with(end)) return std::string(scheme);
  }
  const bool is_other =
      name.size() >= 2 && is_alpha(name.front()) && !is_backslashed && name.find('*') == name.npos;
  return is_other ? name : std::string();
}

/// `rest` of a URL without what belongs to the text around it.
std::string_view without_surroundings(std::string_view rest) noexcept {
  for (const std::string_view entity : {"&quot;", "&lt;", "&gt;", "&#39;"}) {
    rest = rest.substr(0, rest.find(entity));
  }
  auto open = std::count(rest.begin(), rest.end(), '(') - std::count(rest.begin(), rest.end(), ')');
  auto square =
      std::count(rest.begin(), rest.end(), '[') - std::count(rest.begin(), rest.end(), ']');
  for (; !rest.empty(); rest.remove_suffix(1)) {
    const char last = rest.back();
    if (std::string_view(".,;:!?*").find(last) != std::string_view::npos) continue;
    if (last == ')' && open < 0) {
      ++open;
    } else if (last == ']' && square < 0) {
      ++square;
    } else if (last == '(') {
      --open;
    } else if (last == '[') {
      --square;
    } else {
      break;
    }
  }
  return rest;
}

}  // namespace

Host Finder::url_host_at(std::size_t at, std::size_t& size) const {
  size = patterns_.ipv6_literal.match_at(text_, at, 56);
  if (size != 0) {
    const auto address = parse_address(text_.substr(at + 1, size - 2));
    if (address && address->is_v6) return {Host::Kind::ipv6, address->text()};
  }
  const bool is_plain_bracket = is_opening(byte(at));
  const auto name_at = at + (is_plain_bracket ? 1 : 0);
  Host host;
  for (const auto* pattern : {&patterns_.host, &patterns_.url_host}) {
    size = pattern->match_at(text_, name_at, most_defanged);
    if (size == 0) continue;
    auto plain = refanged(text_.substr(name_at, size), patterns_);
    while (!plain.empty() && !is_alnum(plain.back())) plain.pop_back();
    host = classify(plain, tlds_);
    size += name_at - at;
    const bool is_named = pattern == &patterns_.host && is_domain_form(host.text);
    if (host.kind != Host::Kind::none || is_named) return host;
  }
  size = patterns_.ipv6_bare.match_at(text_, at, 45);
  const auto address = parse_address(text_.substr(at, size));
  if (address && address->is_v6) return {Host::Kind::ipv6, address->text()};
  return {};
}

bool Finder::on_url(std::size_t at, std::size_t separator) {
  auto begin = at;
  const auto least = std::max(floor_, at - std::min<std::size_t>(at, 16));
  while (begin > least && is_scheme(text_[begin - 1])) --begin;
  const auto is_backslashed = text_.substr(at, separator).ends_with("\\\\");
  const auto scheme = scheme_in(text_.substr(begin, at - begin), is_backslashed);
  if (scheme.empty()) return false;
  auto host_at = at + separator;
  const auto user_size = patterns_.user.match_at(text_, host_at, 2 * most_local + 2);
  const auto user = text_.substr(host_at, user_size);
  host_at += user_size;
  std::size_t size = 0;
  const auto host = url_host_at(host_at, size);
  if (host.text.empty()) return false;
  add_host(host);
  add_url(scheme, user, host, host_at + size);
  floor_ = host_at + size;
  skip_to(floor_);
  return true;
}

void Finder::add_url(std::string_view scheme, std::string_view user, const Host& host,
                     std::size_t rest_at) {
  std::string_view rest;
  if (rest_at >= url_end_) {
    rest = text_.substr(rest_at, patterns_.url_rest.match_at(text_, rest_at, most_url));
    url_end_ = rest_at + rest.size();
  } else if (std::string_view("/?#:").find(byte(rest_at)) != std::string_view::npos) {
    // A URL within the last one ends with it; this keeps a long row of them linear.
    rest = text_.substr(rest_at, url_end_ - rest_at);
  }
  rest = without_surroundings(rest);
  if (scheme.empty() && rest.empty()) return;
  std::string url(scheme.empty() ? "http" : scheme);
  url.append("://").append(user);
  url += host.kind == Host::Kind::ipv6 ? "[" + host.text + "]" : host.text;
  std::string plain(rest);
  if (plain.find_first_of("[({") != plain.npos) {
    plain = patterns_.any_bracketed.replaced(std::move(plain), "\\1");
  }
  found_.add(Type::url, url + plain, host.text);
}

}  // namespace ioc
