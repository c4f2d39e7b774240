#include "anchors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "chars.hpp"

namespace ioc {
namespace {

constexpr std::size_t block_size = 64;
/// An anchor is judged by so many bytes behind it.
constexpr std::size_t ahead = 3;

#ifdef __SSE2__

__m128i load(const char* bytes) noexcept {
  __m128i vector;
  std::memcpy(&vector, bytes, sizeof vector);
  return vector;
}

__m128i equal(__m128i vector, char byte) noexcept {
  return _mm_cmpeq_epi8(vector, _mm_set1_epi8(byte));
}

/// Bits of the anchors among the 16 bytes at `bytes`, of which 16 + ahead can be read.
std::uint64_t anchors_of_16(const char* bytes) noexcept {
  const auto here = load(bytes);
  const auto next = load(bytes + 1);
  auto found = _mm_or_si128(equal(here, '.'), equal(here, ':'));
  found = _mm_or_si128(found, _mm_or_si128(equal(here, '@'), equal(here, '\\')));
  found = _mm_or_si128(found, _mm_or_si128(equal(here, '/'), equal(here, '-')));
  const auto bracket = _mm_or_si128(_mm_or_si128(equal(here, '['), equal(here, '{')),
                                    _mm_or_si128(equal(here, '('), equal(here, '<')));
  // Signed: bytes from 0x80 up are not followed by an indicator either.
  const auto goes_on = _mm_cmpgt_epi8(next, _mm_set1_epi8(' '));
  const auto blank_ok = _mm_or_si128(equal(here, '@'), bracket);
  found = _mm_and_si128(found, goes_on);
  found = _mm_or_si128(found, _mm_and_si128(blank_ok, _mm_or_si128(goes_on, equal(next, ' '))));
  const auto fold = _mm_set1_epi8(0x20);
  auto at = _mm_and_si128(equal(here, ' '), equal(_mm_or_si128(next, fold), 'a'));
  at = _mm_and_si128(at, equal(_mm_or_si128(load(bytes + 2), fold), 't'));
  at = _mm_and_si128(at, equal(load(bytes + 3), ' '));
  return static_cast<std::uint64_t>(
      static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(found, at))));
}

std::uint64_t anchors_of_64(const char* bytes) noexcept {
  std::uint64_t bits = 0;
  for (unsigned part = 0; part < 4; ++part) {
    bits |= anchors_of_16(bytes + std::size_t{16} * part) << (16 * part);
  }
  return bits;
}

#else

bool is_anchor(const char* bytes) noexcept {
  const char here = bytes[0];
  const char next = bytes[1];
  const bool goes_on = next > ' ' && next <= '\x7f';
  switch (here) {
    case '.':
    case ':':
    case '\\':
    case '/':
    case '-':
      return goes_on;
    case '@':
    case '[':
    case '{':
    case '(':
    case '<':
      return goes_on || next == ' ';
    case ' ':
      return lower(next) == 'a' && lower(bytes[2]) == 't' && bytes[3] == ' ';
    default:
      return false;
  }
}

std::uint64_t anchors_of_64(const char* bytes) noexcept {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < block_size; ++i) {
    bits |= std::uint64_t{is_anchor(bytes + i)} << i;
  }
  return bits;
}

#endif

}  // namespace

void Anchors::load() noexcept {
  block_ = following_;
  const auto left = text_.size() - block_;
  following_ = block_ + std::min(left, block_size);
  if (left >= block_size + ahead) {
    pending_ = anchors_of_64(text_.data() + block_);
    return;
  }
  std::array<char, block_size + ahead> padded{};
  std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(block_), std::min(left, padded.size()),
              padded.begin());
  pending_ = anchors_of_64(padded.data());
}

std::size_t Anchors::next() noexcept {
  while (pending_ == 0) {
    if (following_ >= text_.size()) return none;
    load();
  }
  const auto bit = static_cast<std::size_t>(std::countr_zero(pending_));
  pending_ &= pending_ - 1;
  return block_ + bit;
}

void Anchors::skip_to(std::size_t offset) noexcept {
  if (offset >= following_) {
    pending_ = 0;
    following_ = std::min(offset, text_.size());
  } else if (offset > block_) {
    pending_ &= ~std::uint64_t{0} << (offset - block_);
  }
}

}  // namespace ioc
