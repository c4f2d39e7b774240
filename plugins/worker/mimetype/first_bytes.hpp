/// Which of many rules can match by one byte of a payload each: the first byte of what they ask
/// for, at the place where they ask. Immutable once built; thread-safe.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

class FirstBytes {
 public:
  using Set = std::bitset<256>;

  void add(std::uint32_t rule, std::uint32_t offset, const Set& bytes);
  void build();
  /// Adds the rules whose byte is there, in no order.
  void select(std::string_view bytes, std::vector<std::uint32_t>& to) const;

 private:
  struct Place {
    std::uint32_t offset;
    std::array<std::uint32_t, 257> starts;  // in rules_, by byte
  };
  struct Added {
    std::uint32_t rule;
    Set bytes;
  };
  std::map<std::uint32_t, std::vector<Added>> added_;  // by offset, until built
  std::vector<Place> places_;                          // by offset
  std::vector<std::uint32_t> rules_;
};
