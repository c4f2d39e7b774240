#include "seen_files.hpp"

#include <algorithm>

namespace dirmon {

void SeenFiles::add(const FileState& state) {
  const auto [place, fresh] = known_.try_emplace(state.inode);
  place->second = {state.version, state.changed};
  if (!fresh) return;
  in_order_.push_back(state.inode);
  if (in_order_.size() <= most_) return;
  if (const auto oldest = known_.find(in_order_.front()); oldest != known_.end()) {
    settle(oldest->second.changed);
    known_.erase(oldest);
  }
  in_order_.pop_front();
}

bool SeenFiles::has(const Inode& inode, const Version& version) const {
  const auto known = known_.find(inode);
  return known != known_.end() && known->second.version == version;
}

void SeenFiles::settle(std::int64_t time) noexcept {
  settled_before_ = std::max(settled_before_, time);
}

}  // namespace dirmon
