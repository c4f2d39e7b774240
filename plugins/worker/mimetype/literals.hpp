/// Finds many strings in one pass over a text, without regard to the case of ASCII letters: of each
/// string three bytes that are rare in texts are looked for first. Immutable once built;
/// thread-safe.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

class Literals {
 public:
  static constexpr std::uint32_t nowhere = UINT32_MAX;

  /// The number of `literal`, which is not empty; the same for equal ones. Before build().
  std::size_t add(std::string_view literal);
  void build();
  /// Where each literal begins first, by number, or `nowhere`; 0 for one byte, which is not looked
  /// for. `text` is below 4 GiB.
  void find(std::string_view text, std::vector<std::uint32_t>& first) const;

 private:
  /// A literal that has three given bytes, and where it has them.
  struct Clue {
    std::uint32_t literal, offset;
  };

  void check(std::uint32_t three, std::string_view text, std::size_t at,
             std::vector<std::uint32_t>& first) const;

  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<std::string> literals_;
  std::vector<std::uint32_t> single_bytes_;
  std::unordered_map<std::uint32_t, std::vector<Clue>> clues_;  // by three bytes
  std::bitset<65536> may_be_clue_;                              // by their hash
};
