#include "first_bytes.hpp"

void FirstBytes::add(std::uint32_t rule, std::uint32_t offset, const Set& bytes) {
  added_[offset].push_back({rule, bytes});
}

void FirstBytes::build() {
  for (const auto& [offset, rules] : added_) {
    auto& place = places_.emplace_back(Place{offset, {}});
    for (std::size_t byte = 0; byte < 256; ++byte) {
      place.starts[byte] = static_cast<std::uint32_t>(rules_.size());
      for (const auto& [rule, bytes] : rules) {
        if (bytes[byte]) rules_.push_back(rule);
      }
    }
    place.starts[256] = static_cast<std::uint32_t>(rules_.size());
  }
  added_.clear();
}

void FirstBytes::select(std::string_view bytes, std::vector<std::uint32_t>& to) const {
  for (const auto& place : places_) {
    if (place.offset >= bytes.size()) return;  // and so are all behind it
    const std::size_t byte = static_cast<std::uint8_t>(bytes[place.offset]);
    to.insert(to.end(), rules_.begin() + place.starts[byte],
              rules_.begin() + place.starts[byte + 1]);
  }
}
