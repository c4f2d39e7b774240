#include "engine/result_cache.hpp"

#include <algorithm>
#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

#include "support/json.hpp"

namespace stoq::engine {
namespace {

// What list, map and key add to an entry.
constexpr std::size_t overhead = 192;
// Nearly all that is asked for is new. In a table that is mostly empty this is seen at the first
// look, without going to entries that no cache holds any more.
constexpr float filled = 0.25F;
// Of a root that holds nothing but itself; and so many of them that a table is made for at once.
constexpr std::size_t usual_size = 1024, usual_count = std::size_t{64} << 10;

void spell(std::string& out, std::string_view text) {
  ((out += std::to_string(text.size())) += ':') += text;
}

/// All that a plugin can tell of a value; JSON leaves out members that are empty, and what is not
/// UTF-8.
void spell(std::string& out, const Value& value) {
  value.visit([&](const auto& held) {
    using Held = std::remove_cvref_t<decltype(held)>;
    if constexpr (std::is_same_v<Held, Value::Array>) {
      out += '[';
      for (const auto& item : held) spell(out, item);
      out += ']';
    } else if constexpr (std::is_same_v<Held, Value::Object>) {
      out += '{';
      for (const auto& [name, member] : held) {
        spell(out, std::string_view(name));
        spell(out, member);
      }
      out += '}';
    } else if constexpr (std::is_same_v<Held, std::string>) {
      spell(out, std::string_view(held));
    } else {
      // A letter for the type, which numbers do not tell.
      out += std::floating_point<Held> ? 'd' : 'v';
      support::append_json(out, value);
      out += ',';
    }
  });
}

}  // namespace

std::shared_ptr<RootResults> ResultCache::find(const Key& key, std::string_view name,
                                               const Value& meta) {
  if (!any_.load(std::memory_order_relaxed)) return nullptr;
  Place place{key, {}, {}};
  std::string said;
  if (any_meta_.load(std::memory_order_relaxed)) spell(said, meta);
  const std::lock_guard lock(mutex_);
  auto known = by_place_.find(place);
  const auto look = [&](std::string_view own_name, const std::string& own_meta) {
    if (known != by_place_.end()) return;
    place.name = own_name;
    place.meta = own_meta;
    known = by_place_.find(place);
  };
  const bool by_name = any_named_ && !name.empty();
  if (by_name) look(name, {});
  if (!said.empty()) look({}, said);
  if (!said.empty() && by_name) look(name, said);
  if (known == by_place_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, known->second);
  return known->second->results;
}

void ResultCache::keep(const Key& key, std::string_view name, const Value* meta,
                       std::shared_ptr<RootResults> results) {
  std::string said;
  if (meta != nullptr) spell(said, *meta);
  const bool in_file = results->spool.in_file();
  const Size size{results->memory() + overhead + name.size() + said.size(), in_file ? 1U : 0U,
                  results->spool.in_file_bytes()};
  if (!size.fits(most_)) return;
  List one;
  one.push_front({std::move(results), size, {}});
  const std::lock_guard lock(mutex_);
  if (by_place_.empty()) {
    by_place_.max_load_factor(filled);
    by_place_.reserve(std::min(most_.memory / usual_size, usual_count));
  }
  const auto [place, fresh] = by_place_.try_emplace({key, std::string(name), said}, one.begin());
  if (!fresh) return;  // two equal roots were scanned at the same time
  one.front().place = place;
  kept_.splice(kept_.begin(), one);
  any_named_ = any_named_ || !name.empty();
  if (meta != nullptr) any_meta_.store(true, std::memory_order_relaxed);
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
