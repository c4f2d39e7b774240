#include "utf16.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace ioc {
namespace {

bool is_character(char low, char high) noexcept {
  return high == '\0' && ((low >= ' ' && low <= '~') || (low >= '\t' && low <= '\r'));
}

/// Whether each other byte of eight is NUL, and the rest are not: then a run of eight characters is
/// never overlooked, wherever it begins.
bool looks_wide(std::uint64_t word) noexcept {
  constexpr std::uint64_t odd = 0xff00ff00ff00ff00;
  constexpr std::uint64_t low_bits = 0x0001000100010001;
  if (word == 0) return false;
  if ((word & odd) != 0) {
    if ((word & ~odd) != 0) return false;
    word >>= 8U;
  }
  // No 16-bit lane is 0: none borrows when 1 is taken from it.
  return ((word - low_bits) & 0x8000800080008000) == 0;
}

}  // namespace

std::size_t Utf16Runs::next_run() noexcept {
  for (; bytes_.size() - at_ >= sizeof(std::uint64_t); at_ += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes_.data() + at_, sizeof word);
    if (!looks_wide(word)) continue;
    for (std::size_t shift = 0; shift < 2; ++shift) {
      auto start = at_ + shift;
      const auto known = at_;
      if (!is_character(bytes_[start], bytes_[start + 1])) continue;
      while (start >= 2 && known - start < 2 * least &&
             is_character(bytes_[start - 2], bytes_[start - 1])) {
        start -= 2;
      }
      return start;
    }
  }
  return bytes_.size();
}

bool Utf16Runs::append(std::string& text, std::size_t most) {
  const auto before = text.size();
  while (text.size() - before < most) {
    const auto start = next_run();
    if (start >= bytes_.size()) {
      at_ = bytes_.size();
      break;
    }
    auto end = start;
    const auto room = most - (text.size() - before) + least;
    while (bytes_.size() - end >= 2 && (end - start) / 2 < room &&
           is_character(bytes_[end], bytes_[end + 1])) {
      end += 2;
    }
    if ((end - start) / 2 >= least) {
      for (auto i = start; i < end; i += 2) text += bytes_[i];
      text += '\n';
    }
    at_ = std::max(end, at_ + sizeof(std::uint64_t));
    at_ = std::min(at_, bytes_.size());
  }
  return text.size() != before;
}

}  // namespace ioc
