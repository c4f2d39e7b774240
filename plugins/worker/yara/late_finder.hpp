/// Makes the finder of needles once it pays: preparing it costs as much as libyara needs for some
/// MiB, which a scan of a few small files never looks at.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include <stoq/plugin.hpp>

#include "needle_finder.hpp"
#include "rule_sets.hpp"

/// Thread-safe.
class LateFinder {
 public:
  /// Both outlive it.
  LateFinder(const std::vector<RuleSet>& sets, stoq::Host& host);

  /// The finder; null while it does not pay yet, counting `bytes` that are about to be searched,
  /// and for good if libyara must see all. Whichever thread comes first when it pays makes it; of
  /// the others only those wait whose payload alone pays.
  [[nodiscard]] const NeedleFinder* get(std::size_t bytes);

 private:
  void make();

  const std::vector<RuleSet>& sets_;
  stoq::Host& host_;
  std::size_t pays_from_ = 0;
  std::atomic<std::size_t> searched_ = 0;
  std::mutex making_;
  std::unique_ptr<const NeedleFinder> made_;  ///< written once, before `is_made_`
  std::atomic<bool> is_made_ = false;
};
