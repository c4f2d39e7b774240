/// The folders that are watched, and the kernel's queue of what happens in them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "file_state.hpp"

namespace dirmon {

/// What happened in a folder.
struct Event {
  int watch = -1;  ///< of the folder
  std::uint32_t mask = 0, cookie = 0;
  std::string name;  ///< in the folder; empty: the folder itself
};

/// One thread.
class Watches {
 public:
  /// Throws IoError.
  Watches();

  /// A watched folder.
  struct Folder {
    std::string path;     ///< with a slash at its end
    std::size_t top = 0;  ///< number of the path of the user's that it lies below
  };
  struct Added {
    int watch = -1;      ///< -1: it cannot be watched; errno says why
    bool fresh = false;  ///< it was not watched before
  };
  /// Watches a folder; one that is watched already gets the new path. `follow`: also where the path
  /// is a link.
  Added add(const std::string& path, std::size_t top, bool follow);
  /// Forgets a folder, with all below it, and tells the kernel.
  void remove_below(const std::string& path);
  /// Forgets what the kernel no longer watches.
  void forget(int watch) { folders_.erase(watch); }
  [[nodiscard]] const Folder* find(int watch) const;

  /// Waits for events, at most so long.
  void wait(int milliseconds) const;
  /// What has come, without waiting. Throws IoError.
  [[nodiscard]] std::vector<Event> read();

 private:
  OpenFile queue_;
  std::unordered_map<int, Folder> folders_;
};

}  // namespace dirmon
