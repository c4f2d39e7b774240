/// Remembers which files were delivered, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "file_state.hpp"

namespace dirmon {

/// One thread.
class SeenFiles {
 public:
  /// Remembers the last `most`.
  explicit SeenFiles(std::size_t most) : most_(most) {}

  /// Notes this version of the file; of each, the last one is remembered.
  void add(const FileState& state);
  [[nodiscard]] bool has(const Inode& inode) const { return known_.contains(inode); }
  [[nodiscard]] bool has(const Inode& inode, const Version& version) const;

  /// What was last changed before this time, in a folder that was watched all the while, was
  /// delivered or left out on purpose, also where it is forgotten.
  [[nodiscard]] std::int64_t settled_before() const noexcept { return settled_before_; }
  void settle(std::int64_t time) noexcept;

 private:
  struct Known {
    Version version;
    std::int64_t changed = 0;
  };
  std::size_t most_;
  std::int64_t settled_before_ = 0;
  std::unordered_map<Inode, Known, InodeHash> known_;
  std::deque<Inode> in_order_;  ///< the oldest first
};

}  // namespace dirmon
