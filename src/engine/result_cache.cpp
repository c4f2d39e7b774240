#include "engine/result_cache.hpp"

#include <iterator>
#include <utility>

#include <stoq/bytes.hpp>

namespace stoq::engine {
namespace {

// What list, map and key add to an entry.
constexpr std::size_t overhead = 192;

}  // namespace

std::string ResultCache::text_of(const Key& key, std::string_view name) {
  std::string text;
  text.reserve(key.sha256.size() + 1 + name.size());
  text += as_chars(key.sha256);
  text += static_cast<char>(key.tlp);
  return text += name;
}

std::shared_ptr<RootResults> ResultCache::find(const Key& key, std::string_view name) {
  if (!any_.load(std::memory_order_relaxed)) return nullptr;
  const auto named = text_of(key, name);
  const auto bare = std::string_view(named).substr(0, named.size() - name.size());
  const std::lock_guard lock(mutex_);
  auto known = by_key_.find(bare);
  if (known == by_key_.end()) known = by_key_.find(named);
  if (known == by_key_.end()) return nullptr;
  kept_.splice(kept_.begin(), kept_, known->second);
  return known->second->results;
}

void ResultCache::keep(const Key& key, std::string_view name,
                       std::shared_ptr<RootResults> results) {
  const bool in_file = results->spool.in_file();
  const Size size{results->memory() + overhead + name.size(), in_file ? 1U : 0U,
                  results->spool.in_file_bytes()};
  if (!size.fits(most_)) return;
  auto text = text_of(key, name);
  const std::lock_guard lock(mutex_);
  if (by_key_.contains(text)) return;  // two equal roots were scanned at the same time
  kept_.push_front({std::move(text), std::move(results), size});
  by_key_.emplace(kept_.front().key, kept_.begin());
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
  by_key_.erase(last.key);
  kept_.pop_back();
}

}  // namespace stoq::engine
