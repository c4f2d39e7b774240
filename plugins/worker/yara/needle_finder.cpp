#include "needle_finder.hpp"

#include <algorithm>
#include <bit>
#include <climits>
#include <map>
#include <new>
#include <string>
#include <utility>

#include <hs.h>

namespace {

// libyara needs as long for some bytes more as for another window.
constexpr std::size_t closest = 64;
// Hyperscan needs 25 µs to prepare for each.
constexpr std::size_t most_targets = 32768;
// Beyond one in so many bytes libyara might as well see all.
constexpr std::size_t bytes_per_hit = 8, free_hits = 4096;

/// An expression, and whether it ignores case.
using Expression = std::pair<std::string, bool>;

/// Null when Hyperscan takes none of it.
hs_database_t* compile(const std::vector<Expression>& expressions) {
  std::vector<const char*> texts;
  std::vector<unsigned> flags, numbers;
  for (const auto& [text, any_case] : expressions) {
    texts.push_back(text.c_str());
    flags.push_back(HS_FLAG_DOTALL | (any_case ? unsigned{HS_FLAG_CASELESS} : 0U));
    numbers.push_back(static_cast<unsigned>(numbers.size()));
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* problem = nullptr;
  const auto result = hs_compile_multi(texts.data(), flags.data(), numbers.data(),
                                       static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, nullptr,
                                       &database, &problem);
  if (problem != nullptr) hs_free_compile_error(problem);
  return result == HS_SUCCESS ? database : nullptr;
}

/// Occurrences come by their ends; a longer needle may begin before the last window does.
void add(Windows& windows, Window window) {
  while (!windows.empty() && windows.back().end + closest >= window.begin) {
    window.begin = std::min(window.begin, windows.back().begin);
    window.end = std::max(window.end, windows.back().end);
    windows.pop_back();
  }
  windows.push_back(window);
}

}  // namespace

struct NeedleFinder::Search {
  const std::vector<Target>& targets;
  std::vector<Scratch::Set>& sets;
  std::size_t size;
  std::size_t hits = 0;
};

std::unique_ptr<NeedleFinder> NeedleFinder::make(std::span<const Needles* const> sets) {
  if (hs_valid_platform() != HS_SUCCESS) return nullptr;
  std::map<Expression, Target> by_expression;
  Links links;
  for (std::size_t set = 0; set < sets.size(); ++set) {
    auto& chains = links.emplace_back();
    if (sets[set] == nullptr) continue;
    chains = sets[set]->links;
    for (const auto& needle : sets[set]->needles) {
      auto& target = by_expression[{needle.expression, needle.any_case}];
      target.size = needle.size;
      target.aims.push_back(
          {set, needle.before + target.size, needle.after, needle.only_at, needle.link});
    }
  }
  const bool is_any_told = std::any_of(sets.begin(), sets.end(), [](auto* set) { return set; });
  if (!is_any_told || by_expression.size() > most_targets) return nullptr;
  std::vector<Expression> expressions;
  std::vector<Target> targets;
  for (auto& [expression, target] : by_expression) {
    expressions.push_back(expression);
    targets.push_back(std::move(target));
  }
  auto* const database = expressions.empty() ? nullptr : compile(expressions);
  if (database == nullptr && !expressions.empty()) return nullptr;
  return std::unique_ptr<NeedleFinder>(
      new NeedleFinder(database, std::move(targets), std::move(links)));
}

NeedleFinder::NeedleFinder(hs_database* database, std::vector<Target> targets, Links links) noexcept
    : database_(database), targets_(std::move(targets)), links_(std::move(links)) {}

NeedleFinder::~NeedleFinder() { hs_free_database(database_); }

NeedleFinder::Scratch::Scratch(const NeedleFinder& finder) : sets_(finder.links_.size()) {
  if (finder.database_ == nullptr) return;
  if (hs_alloc_scratch(finder.database_, &scratch_) != HS_SUCCESS) throw std::bad_alloc();
}

NeedleFinder::Scratch::~Scratch() { hs_free_scratch(scratch_); }

void NeedleFinder::find(stoq::ByteView bytes, Scratch& scratch) const {
  for (std::size_t set = 0; set < links_.size(); ++set) {
    scratch.sets_[set].windows.clear();
    scratch.sets_[set].chains.assign(links_[set] ? links_[set]->size() : 0, {});
  }
  Search search{targets_, scratch.sets_, bytes.size()};
  const bool found =
      bytes.size() <= UINT_MAX && hs_scan(database_, reinterpret_cast<const char*>(bytes.data()),
                                          static_cast<unsigned>(bytes.size()), 0, scratch.scratch_,
                                          on_target, &search) == HS_SUCCESS;
  if (found) join_chains(scratch);
  for (std::size_t set = 0; set < links_.size(); ++set) {
    if (!found || !links_[set]) scratch.sets_[set].windows.assign(1, {0, bytes.size()});
  }
}

int NeedleFinder::on_target(unsigned id, unsigned long long /*from*/, unsigned long long to,
                            unsigned /*flags*/, void* context) noexcept {
  auto& search = *static_cast<Search*>(context);
  try {
    aim_at(search.targets[id], to, search);
  } catch (const std::bad_alloc&) {  // it must not fly through C
    return 1;
  }
  return ++search.hits > free_hits + to / bytes_per_hit ? 1 : 0;
}

void NeedleFinder::aim_at(const Target& target, std::size_t end, Search& search) {
  for (const auto& aim : target.aims) {
    if (aim.only_at && *aim.only_at != end - target.size) continue;
    const Window window{end > aim.before ? end - aim.before : 0,
                        std::min(end + aim.after, search.size)};
    auto& set = search.sets[aim.set];
    add(set.windows, window);
    if (!aim.link) continue;
    auto& [links, around] = set.chains[aim.link->chain];
    around = links == 0
                 ? window
                 : Window{std::min(around.begin, window.begin), std::max(around.end, window.end)};
    links |= std::uint64_t{1} << aim.link->link;
  }
}

// libyara counts the distance of links from the beginning of what it is shown in one piece: all of
// a chain that may be whole must be in one.
void NeedleFinder::join_chains(Scratch& scratch) const {
  for (std::size_t number = 0; number < links_.size(); ++number) {
    if (!links_[number]) continue;
    auto& set = scratch.sets_[number];
    bool any = false;
    for (std::size_t chain = 0; chain < set.chains.size(); ++chain) {
      const auto& sighting = set.chains[chain];
      const auto seen = static_cast<std::size_t>(std::popcount(sighting.links));
      if (seen != (*links_[number])[chain]) continue;
      set.windows.push_back(sighting.around);
      any = true;
    }
    if (!any) continue;
    std::sort(set.windows.begin(), set.windows.end(),
              [](const Window& a, const Window& b) { return a.begin < b.begin; });
    Windows joined;
    for (const auto& window : set.windows) add(joined, window);
    set.windows = std::move(joined);
  }
}
