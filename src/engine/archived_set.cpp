#include "engine/archived_set.hpp"

#include <new>
#include <utility>

namespace stoq::engine {

ArchivedSet::Turn::Turn(ArchivedSet& set, const support::Sha256& sha256)
    : set_(set), sha256_(sha256) {
  std::unique_lock lock(set_.mutex_);
  set_.finished_.wait(lock, [&] { return !set_.under_way_.contains(sha256_); });
  if (set_.knows(sha256_)) return;
  set_.under_way_.insert(sha256_);
  ours_ = true;
}

ArchivedSet::Turn::~Turn() {
  if (!ours_) return;
  {
    const std::lock_guard lock(set_.mutex_);
    set_.under_way_.erase(sha256_);
    try {
      if (done_) set_.remember(sha256_);
    } catch (const std::bad_alloc&) {
      // Not remembered: the next one brings it again, and the connector has it.
      done_ = false;
    }
  }
  set_.finished_.notify_all();
}

bool ArchivedSet::knows(const support::Sha256& sha256) {
  if (recent_.contains(sha256)) return true;
  if (!older_.contains(sha256)) return false;
  remember(sha256);
  return true;
}

void ArchivedSet::remember(const support::Sha256& sha256) {
  if (recent_.size() >= most_ / 2) {
    older_ = std::exchange(recent_, {});
  }
  if (most_ > 1) recent_.insert(sha256);
}

}  // namespace stoq::engine
