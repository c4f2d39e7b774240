// E-mail addresses.
#include <algorithm>

#include "chars.hpp"
#include "finder.hpp"

namespace ioc {

bool Finder::add_email(std::size_t local_end, std::size_t host_at, const Pattern& pattern) {
  auto begin = local_end;
  const auto least = std::max(floor_, local_end - std::min(local_end, most_local));
  while (begin > least && is_local(text_[begin - 1])) --begin;
  while (begin < local_end && !is_alnum(text_[begin]) && text_[begin] != '_') ++begin;
  if (begin == local_end) return false;
  const auto size = pattern.match_at(text_, host_at, most_defanged);
  if (size == 0) return false;
  const auto written = text_.substr(host_at, size);
  auto plain = refanged(written, patterns_);
  while (!plain.empty() && !is_alnum(plain.back())) plain.pop_back();
  const auto host = classify(plain, tlds_);
  // Brackets around a dot are put there for an address, whatever it ends in.
  const bool is_meant = written.find_first_of("[(") != written.npos && is_domain_form(host.text);
  if (host.kind == Host::Kind::none && !is_meant) return false;
  found_.add(Type::email, std::string(text_.substr(begin, local_end - begin)) + "@" + host.text);
  add_host(host);
  floor_ = host_at + size;
  skip_to(floor_);
  return true;
}

void Finder::on_at(std::size_t begin, std::size_t end) {
  auto local_end = begin;
  const auto back_over_blanks = [&] {
    for (int i = 0; i < 2 && local_end > floor_ && is_blank(text_[local_end - 1]); ++i) --local_end;
  };
  back_over_blanks();
  if (local_end > floor_ && is_opening(text_[local_end - 1])) {
    --local_end;
    back_over_blanks();
  }
  auto host_at = skip_blanks(end, 2);
  if (is_closing(byte(host_at))) host_at = skip_blanks(host_at + 1, 2);
  add_email(local_end, host_at, patterns_.email_host);
}

void Finder::on_spoken_at(std::size_t begin, std::size_t end) {
  // Most are plain English: the next word is not followed by a dot of any kind.
  auto word_end = end;
  while (word_end - end < most_host && (is_host(byte(word_end)) || byte(word_end) == '.')) {
    ++word_end;
  }
  if (word_end == end) return;
  const char next = byte(skip_blanks(word_end, 8));
  if (next == '/' || next == '\\' || is_opening(next) || next == 'd' || next == 'D') {
    add_email(begin, end, patterns_.spoken_host);
  }
}

}  // namespace ioc
