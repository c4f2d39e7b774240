/// What each thread of the graph has to itself: nothing in it is shared, so nothing is locked.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/account.hpp"
#include "engine/dispatcher.hpp"
#include "support/digest.hpp"

namespace stoq::engine {

using Clock = std::chrono::steady_clock;

/// What one thread did with one plugin.
struct PluginCounters {
  std::uint64_t calls = 0, bytes = 0, children = 0, errors = 0, overran = 0;
  std::uint64_t out = 0;   ///< bytes of its children, of a worker's results, of what it archived
  std::uint64_t kept = 0;  ///< payloads that it archived
  std::uint64_t had = 0;   ///< payloads that were to be archived and were there
  Clock::duration time{};
};

/// A call into a plugin under way on this thread; calls nest where children run inline.
struct CallTimer {
  Clock::time_point started = Clock::now();
  Clock::duration nested{};  ///< spent on children inside the call: not the plugin's
  [[nodiscard]] Clock::duration own() const noexcept { return Clock::now() - started - nested; }
};

struct alignas(64) Lane {
  Lane(unsigned number, const Dispatcher& dispatcher, support::DigestSet digests,
       std::size_t plugins)
      : index(number), digester(digests), scanner(dispatcher), counters(plugins) {}

  /// Digests of several payloads, hashed together. When that fails, none: each payload then makes
  /// its own, and tells why it cannot.
  [[nodiscard]] std::vector<support::DigestResult> digests(std::span<const ByteView> all) {
    const Spell hashing(account.get(), Activity::hash);
    std::vector<support::DigestResult> results(all.size());
    try {
      digester.digest(all, results);
    } catch (const std::exception&) {
      results.clear();
    }
    return results;
  }

  /// Plans of those that are small, made one after the other: what the rules need then stays in the
  /// processor's cache. Nothing for the others, which may not need one, and for one that fails: it
  /// then makes its own, and tells why it cannot.
  [[nodiscard]] std::vector<std::optional<Plan>> plans(std::span<const ByteView> all) {
    constexpr std::size_t small = std::size_t{64} << 10;
    const Spell matching(account.get(), Activity::rules);
    std::vector<std::optional<Plan>> results(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].size() > small) continue;
      try {
        auto& plan = results[i].emplace();
        plan.calls.reserve(Plan::usual);
        scanner.scan(all[i], {}, plan);
      } catch (const std::exception&) {
        results[i].reset();
      }
    }
    return results;
  }

  /// A plugin brought out a child.
  void count_child(std::size_t plugin, std::uint64_t size) noexcept {
    ++counters[plugin].children;
    counters[plugin].out += size;
    if (account) account->produced(size);
  }

  unsigned index;
  std::unique_ptr<Account> account;  ///< null unless the run keeps accounts
  support::Digester digester;
  Dispatcher::Scanner scanner;
  std::vector<PluginCounters> counters;  ///< by plugin number
  std::string packed;                    ///< an entry on its way to the spool; kept for its room
  std::atomic<std::uint64_t> payloads{0}, bytes{0};
};

}  // namespace stoq::engine
