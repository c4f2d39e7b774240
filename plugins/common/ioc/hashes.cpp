#include <algorithm>

#include "chars.hpp"
#include "finder.hpp"

namespace ioc {
namespace {

constexpr std::size_t shortest = 32;

void judge(std::string_view run, Indicators& found) {
  Type type{};
  switch (run.size()) {
    case 32:
      type = Type::md5;
      break;
    case 40:
      type = Type::sha1;
      break;
    case 64:
      type = Type::sha256;
      break;
    case 128:
      type = Type::sha512;
      break;
    default:
      return;
  }
  // A decimal number, or a filler of one byte: no digest looks so.
  if (std::all_of(run.begin(), run.end(), is_digit)) return;
  if (run.find_first_not_of(run.front()) == run.npos) return;
  found.add(type, lowered(run));
}

}  // namespace

bool find_hashes(std::string_view text, const stoq::Request& request, Indicators& found) {
  constexpr std::size_t step = std::size_t{4} << 20U;
  std::size_t look = step;
  std::size_t begin = 0;
  // A run that begins in [begin, begin + shortest) holds the last byte of that window: most windows
  // are dismissed by that byte.
  while (text.size() - begin >= shortest) {
    if (begin >= look) {
      if (request.stop_requested()) return false;
      look = begin + step;
    }
    auto at = begin + shortest;
    while (at > begin && is_hex(text[at - 1])) --at;
    if (at > begin) {
      begin = at;
      continue;
    }
    auto end = begin + shortest;
    while (end < text.size() && is_hex(text[end])) ++end;
    judge(text.substr(begin, end - begin), found);
    begin = end;
  }
  return true;
}

}  // namespace ioc
