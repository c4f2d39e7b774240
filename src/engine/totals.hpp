/// What the records of a run add up to; one a thread, merged at the end.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>

#include <stoq/error.hpp>

namespace stoq::engine {

struct Totals {
  std::uint64_t roots = 0, payloads = 0, bytes = 0;
  std::uint64_t declared = 0, emitted = 0, dropped = 0;
  std::array<std::uint64_t, 13> statuses{};
  std::map<std::string, std::uint64_t, std::less<>> types, limits;

  void count(std::map<std::string, std::uint64_t, std::less<>>& where, std::string_view what) {
    if (const auto known = where.find(what); known != where.end()) {
      ++known->second;
    } else {
      where.emplace(what, 1);
    }
  }
  void merge(const Totals& other) {
    roots += other.roots;
    payloads += other.payloads;
    bytes += other.bytes;
    declared += other.declared;
    emitted += other.emitted;
    dropped += other.dropped;
    for (std::size_t i = 0; i < statuses.size(); ++i) statuses[i] += other.statuses[i];
    for (const auto& [type, times] : other.types) types[type] += times;
    for (const auto& [limit, times] : other.limits) limits[limit] += times;
  }
};

}  // namespace stoq::engine
