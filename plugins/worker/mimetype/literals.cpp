#include "literals.hpp"

#include <algorithm>
#include <cstring>

namespace {

constexpr std::uint32_t no_case = 0x202020;  // makes letters equal, and some other bytes too

char fold(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::uint32_t byte(char c) noexcept { return static_cast<std::uint8_t>(c); }

std::uint32_t three_of(std::string_view text) noexcept {
  return (byte(text[0]) | byte(text[1]) << 8 | byte(text[2]) << 16) | no_case;
}

std::size_t hash(std::uint32_t three) noexcept { return (three * 0x9e3779b1U) >> 16; }

/// How common a byte is in texts.
std::size_t frequency(char c) noexcept {
  constexpr std::string_view rarest_first = "zqjxkvbywgpfmucdlhrsnioate \n";
  const auto at = rarest_first.find(c);
  return at == rarest_first.npos ? 0 : at + 1;
}

/// Where in a literal the three bytes are that are least common together.
std::size_t rarest_three(std::string_view literal) noexcept {
  const auto common = [&](std::size_t at) {
    return frequency(literal[at]) + frequency(literal[at + 1]) + frequency(literal[at + 2]);
  };
  std::size_t best = 0;
  for (std::size_t at = 1; at + 3 <= literal.size(); ++at) {
    if (common(at) < common(best)) best = at;
  }
  return best;
}

}  // namespace

std::size_t Literals::add(std::string_view literal) {
  std::string folded(literal);
  std::transform(folded.begin(), folded.end(), folded.begin(), fold);
  const auto [at, is_new] = numbers_.try_emplace(folded, literals_.size());
  if (is_new) literals_.push_back(std::move(folded));
  return at->second;
}

void Literals::build() {
  for (std::uint32_t number = 0; number < literals_.size(); ++number) {
    const auto& literal = literals_[number];
    if (literal.size() == 1) {
      single_bytes_.push_back(number);
    } else if (literal.size() == 2) {  // and any byte behind it
      for (unsigned any = 0; any < 256; ++any) {
        auto& clues = clues_[three_of(literal + static_cast<char>(any))];
        if (clues.empty() || clues.back().literal != number) clues.push_back({number, 0});
      }
    } else {
      const auto at = rarest_three(literal);
      const auto offset = static_cast<std::uint32_t>(at);
      clues_[three_of(std::string_view(literal).substr(at))].push_back({number, offset});
    }
  }
  for (const auto& [three, clues] : clues_) may_be_clue_.set(hash(three));
}

void Literals::find(std::string_view text, std::vector<std::uint32_t>& first) const {
  first.assign(literals_.size(), nowhere);
  for (const auto number : single_bytes_) first[number] = 0;
  std::size_t at = 0;
  for (; at + 4 <= text.size(); ++at) {
    std::uint32_t four = 0;
    std::memcpy(&four, text.data() + at, sizeof(four));
    const auto three = (four & 0xffffff) | no_case;
    if (may_be_clue_[hash(three)]) check(three, text, at, first);
  }
  for (; at < text.size(); ++at) {
    const std::array<char, 3> padded{text[at], at + 1 < text.size() ? text[at + 1] : '\0',
                                     at + 2 < text.size() ? text[at + 2] : '\0'};
    check(three_of({padded.data(), padded.size()}), text, at, first);
  }
}

void Literals::check(std::uint32_t three, std::string_view text, std::size_t at,
                     std::vector<std::uint32_t>& first) const {
  const auto found = clues_.find(three);
  if (found == clues_.end()) return;
  for (const auto& [number, offset] : found->second) {
    if (first[number] != nowhere || at < offset) continue;
    const auto& literal = literals_[number];
    const auto there = text.substr(at - offset, literal.size());
    const bool is_equal = std::equal(there.begin(), there.end(), literal.begin(), literal.end(),
                                     [](char a, char b) { return fold(a) == b; });
    if (is_equal) first[number] = static_cast<std::uint32_t>(at - offset);
  }
}
