/// Which contents a run has archived: each is brought to the connector once, by one thread, while
/// others that hold the same bytes wait to hear how it went.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstring>
#include <mutex>
#include <unordered_set>

#include "support/digest.hpp"

namespace stoq::engine {

/// Bounded: what was not asked for longest is forgotten and then brought again, and the connector
/// says that it has it. Thread-safe.
class ArchivedSet {
 public:
  /// `most`: hashes that are remembered.
  explicit ArchivedSet(std::size_t most) : most_(most) {}

  /// One thread's turn with one content.
  class Turn {
   public:
    /// Waits while another thread is at this content.
    Turn(ArchivedSet& set, const support::Sha256& sha256);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    /// Whether it is to be archived: nobody did so yet.
    [[nodiscard]] bool is_ours() const noexcept { return ours_; }
    /// It is archived; without this the next one tries again.
    void done() noexcept { done_ = true; }
    [[nodiscard]] bool is_done() const noexcept { return done_; }

   private:
    ArchivedSet& set_;
    support::Sha256 sha256_;
    bool ours_ = false, done_ = false;
  };

 private:
  struct Hash {
    std::size_t operator()(const support::Sha256& sha256) const noexcept {
      std::size_t hash = 0;
      std::memcpy(&hash, sha256.data(), sizeof hash);
      return hash;
    }
  };
  using Set = std::unordered_set<support::Sha256, Hash>;
  [[nodiscard]] bool knows(const support::Sha256& sha256);
  void remember(const support::Sha256& sha256);

  const std::size_t most_;
  std::mutex mutex_;  ///< guards the rest
  std::condition_variable finished_;
  Set under_way_;
  Set recent_, older_;  ///< the older half goes at once when the recent one is full
};

}  // namespace stoq::engine
