#include "rotate.hpp"

#include <string_view>

char rotated(char letter) noexcept {
  constexpr std::string_view from = "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLM";
  constexpr std::string_view small = "abcdefghijklmnopqrstuvwxyzabcdefghijklm";
  for (const auto letters : {from, small}) {
    if (const auto at = letters.find(letter); at != letters.npos) return letters[at + 13];
  }
  return letter;
}
