/// Watches folders and delivers the files that are finished in them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

#include "glob.hpp"
#include "open_files.hpp"
#include "seen_files.hpp"
#include "watches.hpp"

namespace dirmon {

/// As the options of the same names.
struct Settings {
  bool recursive = true, existing = false;
  double idle_seconds = 0;
  std::uint64_t most_files = 0;
  std::size_t remember = 0;
};

/// One run over some folders. One thread.
class Monitor {
 public:
  Monitor(const Settings& settings, const stoq::Input& input, stoq::Intake& intake,
          stoq::Host& host);
  /// Watches these folders until it is told to stop or its settings say so. Throws IoError.
  void run(const std::vector<std::string>& folders);

 private:
  using Clock = std::chrono::steady_clock;

  /// A folder that the user named.
  struct Top {
    std::string path;
    bool there = true;
  };
  /// Which of the files found in a folder are new.
  enum class Take : std::uint8_t {
    all,       ///< those that are not known
    unsettled  ///< of these, those that changed since everything was known
  };
  /// Of which it is not known whether somebody writes it.
  struct Unsure {
    std::string path;
    std::size_t top;
    Version version;
    Clock::time_point due;
  };
  /// Why a file is looked at.
  enum class Sign : std::uint8_t {
    closed,   ///< by who wrote it
    moved,    ///< here, from where nothing is watched
    renamed,  ///< within what is watched: a write would have been told
    there     ///< somebody may still write it
  };

  void start(const std::vector<std::string>& folders);
  void handle(const Event& event);
  void handle_folder(const Event& event, const Watches::Folder& folder);
  void leave_top(const std::string& path);
  void look_for_tops();
  void look_again();
  /// Watches a folder, looks through it, and so on below it.
  void enter(const std::string& path, std::size_t top, Take take);
  void list(const std::string& folder, std::size_t top, Take take,
            std::vector<std::pair<std::string, Take>>& below);
  /// Until it has stayed as it is for a while, or its closing is told.
  void wait_with(const std::string& path, std::size_t top, const FileState& state);
  void look_at_unsure();
  void handle_file(const Event& event, const Watches::Folder& folder);
  /// A file that may be new and finished. False when it is not there.
  bool look_into(const std::string& path, std::size_t top, Sign sign, Take take = Take::all);
  void deliver(const std::string& path, std::size_t top, FileState state);
  /// Records what became of names that were announced and found empty.
  void settle_gone();
  void put(stoq::Root root);
  void put_problem(const std::string& path, stoq::Status status, std::string message);
  /// Whether nothing came for as long as the settings say, and nothing is waited for.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] std::string_view relative(const std::string& path, std::size_t top) const;

  Settings settings_;
  stoq::common::Filter filter_;
  stoq::Intake& intake_;
  stoq::Host& host_;
  Watches watches_;
  SeenFiles seen_;
  OpenFiles open_;
  std::vector<Top> tops_;
  std::unordered_map<Inode, Unsure, InodeHash> unsure_;
  // What the rest of the queue tells more of:
  std::set<std::pair<int, std::string>> gone_;  ///< watches and names that were announced
  std::map<std::uint32_t, std::string> moved_folders_,
      moved_files_;  ///< away, by the move's cookie

  bool started_ = false;
  std::int64_t settled_before_ = 0;      ///< of the files that are looked through
  std::int64_t look_began_ = INT64_MAX;  ///< when the folders are looked through again
  std::uint64_t delivered_ = 0;
  bool stopped_ = false;
  Clock::time_point last_ = Clock::now();  ///< that something was delivered
};

}  // namespace dirmon
