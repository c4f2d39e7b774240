#include "late_finder.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include <yara.h>

#include "needles.hpp"
#include "search_trial.hpp"

namespace {

// Preparing for a needle takes as long as libyara's search of so many bytes.
constexpr std::size_t bytes_per_needle = 8192;

/// How many atoms the rules have: about as many as needles.
std::size_t atoms(YR_RULES* rules) {
  YR_RULES_STATS stats{};
  return ::yr_rules_get_stats(rules, &stats) == ERROR_SUCCESS ? stats.ac_matches : 0;
}

}  // namespace

LateFinder::LateFinder(const std::vector<RuleSet>& sets, stoq::Host& host)
    : sets_(sets), host_(host) {
  for (const auto& set : sets) pays_from_ += atoms(set.rules.get()) * bytes_per_needle;
}

const NeedleFinder* LateFinder::get(std::size_t bytes) {
  if (is_made_.load(std::memory_order_acquire)) return made_.get();
  if (searched_.fetch_add(bytes, std::memory_order_relaxed) + bytes < pays_from_) return nullptr;
  std::unique_lock lock(making_, std::defer_lock);
  if (bytes >= pays_from_) {
    lock.lock();
  } else if (!lock.try_lock()) {
    return nullptr;
  }
  if (!is_made_.load(std::memory_order_relaxed)) make();
  return made_.get();
}

void LateFinder::make() {
  std::vector<std::optional<Needles>> needles;
  std::vector<const Needles*> pointers;
  if (windows_find_the_same()) {
    for (const auto& set : sets_) needles.push_back(needles_of(*set.rules));
    std::size_t count = 0, complete = 0;
    for (const auto& of_set : needles) {
      pointers.push_back(of_set ? &*of_set : nullptr);
      if (!of_set) continue;
      count += of_set->needles.size();
      ++complete;
    }
    made_ = NeedleFinder::make(pointers);
    if (made_) {
      host_.log(stoq::LogLevel::info, "yara: Hyperscan looks for " + std::to_string(count) +
                                          " needles of " + std::to_string(complete) + " of " +
                                          std::to_string(sets_.size()) +
                                          " rule sets, libyara only around them");
    }
  }
  if (!made_) host_.log(stoq::LogLevel::info, "yara: libyara searches every byte itself");
  is_made_.store(true, std::memory_order_release);
}
