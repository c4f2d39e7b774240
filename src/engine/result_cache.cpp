#include "engine/result_cache.hpp"

#include <algorithm>
#include <utility>

namespace stoq::engine {
namespace {

// What list, map and key add to an entry.
constexpr std::size_t overhead = 192;
// Nearly all that is asked for is new. In a table that is mostly empty this is seen at the first
// look, without going to entries that no cache holds any more.
constexpr float filled = 0.25F;
// Of a root that holds nothing but itself; and so many of them that a table is made for at once.
constexpr std::size_t usual_size = 1024, usual_count = std::size_t{64} << 10;

}  // namespace

std::shared_ptr<RootResults> ResultCache::find(const Key& key, std::string_view name) {
  if (!any_.load(std::memory_order_relaxed)) return nullptr;
  Place place{key, {}};
  const std::lock_guard lock(mutex_);
  auto known = by_place_.find(place);
  if (known == by_place_.end() && any_named_ && !name.empty()) {
    place.name = name;
    known = by_place_.find(place);
  }
  if (known == by_place_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, known->second);
  return known->second->results;
}

void ResultCache::keep(const Key& key, std::string_view name,
                       std::shared_ptr<RootResults> results) {
  const bool in_file = results->spool.in_file();
  const Size size{results->memory() + overhead + name.size(), in_file ? 1U : 0U,
                  results->spool.in_file_bytes()};
  if (!size.fits(most_)) return;
  List one;
  one.push_front({std::move(results), size, {}});
  const std::lock_guard lock(mutex_);
  if (by_place_.empty()) {
    by_place_.max_load_factor(filled);
    by_place_.reserve(std::min(most_.memory / usual_size, usual_count));
  }
  const auto [place, fresh] = by_place_.try_emplace({key, std::string(name)}, one.begin());
  if (!fresh) return;  // two equal roots were scanned at the same time
  one.front().place = place;
  kept_.splice(kept_.begin(), one);
  any_named_ = any_named_ || !name.empty();
  any_.store(true, std::memory_order_relaxed);
  size_.memory += size.memory;
  size_.files += size.files;
  size_.file_bytes += size.file_bytes;
  while (!size_.fits(most_)) drop_last();
}

void ResultCache::drop_last() {
  const auto& last = kept_.back();
  size_.memory -= last.size.memory;
  size_.files -= last.size.files;
  size_.file_bytes -= last.size.file_bytes;
  by_place_.erase(last.place);
  kept_.pop_back();
}

}  // namespace stoq::engine
