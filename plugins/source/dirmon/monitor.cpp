#include "monitor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iterator>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dirmon {
namespace {

using stoq::Status;

constexpr int look_milliseconds = 100;  ///< between two looks at whether to stop
constexpr std::size_t most_open = 256;
/// So long a file stays as it is before it counts as finished, where the kernel does not tell.
constexpr std::chrono::seconds settling{2};

/// By the clock that file systems take their times from.
std::int64_t file_time_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

std::string reason(int error) { return std::strerror(error); }

/// The names in a folder in bytewise order; nothing, and errno, when it cannot be read.
bool read_folder(const std::string& path, std::vector<std::string>& names) {
  DIR* const folder = ::opendir(path.c_str());
  if (folder == nullptr) return false;
  while (const auto* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(folder);
  std::sort(names.begin(), names.end());
  return true;
}

}  // namespace

Monitor::Monitor(const Settings& settings, const stoq::Input& input, stoq::Intake& intake,
                 stoq::Host& host)
    : settings_(settings),
      filter_(input.include, input.exclude),
      intake_(intake),
      host_(host),
      seen_(settings.remember),
      open_(most_open) {}

// --- The loop ---------------------------------------------------------------------------------

void Monitor::run(const std::vector<std::string>& folders) {
  start(folders);
  bool quiet = false;
  while (!stopped_ && !intake_.stopping()) {
    const auto events = watches_.read();
    for (const auto& event : events) {
      handle(event);
      if (stopped_) return;
    }
    if (!events.empty()) {
      quiet = false;
      continue;
    }
    // Empty for a while, not just now: a file moves before the kernel tells, and from its old place
    // before to its new one. What became of every name is known then.
    if (std::exchange(quiet, true)) settle_gone();
    look_for_tops();
    look_at_unsure();
    intake_.flush();
    if (idle()) break;
    watches_.wait(look_milliseconds);
  }
  if (!stopped_) settle_gone();
}

bool Monitor::idle() const {
  const std::chrono::duration<double> since = Clock::now() - last_;
  return settings_.idle_seconds > 0 && since.count() >= settings_.idle_seconds && unsure_.empty();
}

void Monitor::start(const std::vector<std::string>& folders) {
  const auto now = file_time_now();
  if (!settings_.existing) seen_.settle(now);
  settled_before_ = seen_.settled_before();
  for (const auto& path : folders) {
    const auto number = tops_.size();
    tops_.push_back({path.ends_with('/') ? path : path + '/'});
    if (watches_.add(path, number, true).watch < 0) {
      throw stoq::IoError("dirmon: cannot watch '" + path + "': " + reason(errno) +
                          (errno == ENOSPC ? "; raise fs.inotify.max_user_watches" : ""));
    }
  }
  for (std::size_t i = 0; i < tops_.size(); ++i) {
    enter(tops_[i].path, i, settings_.existing ? Take::all : Take::unsettled);
  }
  started_ = true;
  last_ = Clock::now();
}

// --- What happens -----------------------------------------------------------------------------

void Monitor::handle(const Event& event) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) return look_again();
  const auto* const known = watches_.find(event.watch);
  if (known == nullptr) return;  // what happened before its folder was left
  const auto folder = *known;
  if ((event.mask & (IN_DELETE_SELF | IN_MOVE_SELF)) != 0) {
    if (folder.path == tops_[folder.top].path) leave_top(folder.path);
  } else if ((event.mask & IN_IGNORED) != 0) {
    watches_.forget(event.watch);
  } else if ((event.mask & IN_ISDIR) != 0) {
    handle_folder(event, folder);
  } else {
    handle_file(event, folder);
  }
}

void Monitor::handle_file(const Event& event, const Watches::Folder& folder) {
  if ((event.mask & IN_MOVED_FROM) != 0) {
    // Of one that was gone when it was looked at, this is why.
    const bool missed = gone_.erase({event.watch, event.name}) != 0;
    moved_files_[event.cookie] = missed ? folder.path + event.name : std::string();
    return;
  }
  auto sign = (event.mask & IN_CLOSE_WRITE) != 0 ? Sign::closed : Sign::there;
  if ((event.mask & IN_MOVED_TO) != 0) {
    sign = moved_files_.erase(event.cookie) != 0 ? Sign::renamed : Sign::moved;
  }
  if (!look_into(folder.path + event.name, folder.top, sign)) {
    gone_.emplace(event.watch, event.name);
  }
}

void Monitor::handle_folder(const Event& event, const Watches::Folder& folder) {
  const auto path = folder.path + event.name + '/';
  if ((event.mask & IN_MOVED_FROM) != 0) {
    // Where it went, if it is watched, is told by the event that follows.
    moved_folders_[event.cookie] = path;
  } else if ((event.mask & (IN_CREATE | IN_MOVED_TO)) != 0 && settings_.recursive) {
    moved_folders_.erase(event.cookie);
    enter(path, folder.top, Take::all);
  }
}

void Monitor::leave_top(const std::string& path) {
  for (auto& top : tops_) {
    if (top.path == path && std::exchange(top.there, false)) {
      host_.log(stoq::LogLevel::warning,
                "'" + path + "' is gone; it is watched again once it is there again");
    }
  }
  watches_.remove_below(path);
}

/// Folders of the user's that were deleted or moved away, and made again.
void Monitor::look_for_tops() {
  for (std::size_t i = 0; i < tops_.size(); ++i) {
    auto& top = tops_[i];
    if (top.there || watches_.add(top.path, i, true).watch < 0) continue;
    top.there = true;
    host_.log(stoq::LogLevel::info, "'" + top.path + "' is there again");
    enter(top.path, i, Take::all);
  }
}

/// After the kernel's queue was full, and what happened is not known.
void Monitor::look_again() {
  host_.log(stoq::LogLevel::info,
            "more happened at once than the kernel keeps (fs.inotify.max_queued_events): "
            "looking through the folders");
  // As it is now: what this look finds, and forgets again, is older than what it has yet to find.
  settled_before_ = seen_.settled_before();
  look_began_ = file_time_now();
  for (std::size_t i = 0; i < tops_.size() && !stopped_; ++i) {
    if (tops_[i].there) enter(tops_[i].path, i, Take::unsettled);
  }
  look_began_ = INT64_MAX;
}

// --- Folders ----------------------------------------------------------------------------------

void Monitor::enter(const std::string& path, std::size_t top, Take take) {
  std::vector<std::pair<std::string, Take>> waiting{{path, take}};
  while (!waiting.empty() && !stopped_) {
    const auto [folder, wanted] = std::move(waiting.back());
    waiting.pop_back();
    list(folder, top, wanted, waiting);
  }
}

void Monitor::list(const std::string& folder, std::size_t top, Take take,
                   std::vector<std::pair<std::string, Take>>& below) {
  const bool is_top = folder == tops_[top].path;
  // Without its slash, which would follow a link.
  const auto path = folder.size() > 1 ? folder.substr(0, folder.size() - 1) : folder;
  if (!is_top) {
    const auto refused = filter_.refuse_folder(relative(path, top));
    if (!refused.empty()) return put_problem(path, Status::filtered, refused);
  }
  // First the watch, then the look: what comes in between is seen by both, and known.
  const auto watch = watches_.add(path, top, is_top);
  std::vector<std::string> names;
  if (watch.watch < 0 || !read_folder(folder, names)) {
    const auto error = errno;
    if (error == ENOENT || error == ENOTDIR) return;  // gone again; its own event tells
    return put_problem(path, Status::io_error,
                       "cannot be watched: " + reason(error) +
                           (error == ENOSPC ? "; raise fs.inotify.max_user_watches" : ""));
  }
  // A folder that was not watched may have been moved here, with files of any age.
  const auto wanted = watch.fresh && !is_top && started_ ? Take::all : take;
  for (const auto& name : names) {
    if (stopped_) return;
    struct stat facts {};
    const auto child = folder + name;
    if (::lstat(child.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) {
      if (settings_.recursive) below.emplace_back(child + '/', wanted);
    } else {
      if (!look_into(child, top, Sign::there, wanted) && wanted == Take::all) {
        gone_.emplace(watch.watch, name);
      }
    }
  }
}

// --- Files ------------------------------------------------------------------------------------

std::string_view Monitor::relative(const std::string& path, std::size_t top) const {
  return std::string_view(path).substr(std::min(path.size(), tops_[top].path.size()));
}

bool Monitor::look_into(const std::string& path, std::size_t top, Sign sign, Take take) {
  auto state = look_at(path);
  if (state.error == ENOENT || state.error == ENOTDIR || state.error == ELOOP) return false;
  if (state.error != 0) {
    put_problem(path, Status::io_error, "cannot be opened: " + reason(state.error));
    return true;
  }
  if (state.kind == FileState::Kind::folder || seen_.has(state.inode, state.version)) return true;
  if (take == Take::unsettled && state.changed < settled_before_) return true;
  // Its times may have been set since, as rsync does.
  if (sign == Sign::renamed && seen_.has(state.inode)) {
    seen_.add(state);
    return true;
  }
  if (sign == Sign::there && state.file) {
    const auto writers = writers_of(*state.file);
    if (writers == Writers::some) return true;  // their closing it is told
    // Who makes a file counts as its writer only after the making is told.
    if (writers == Writers::not_known || state.version.size == 0) {
      wait_with(path, top, state);
      return true;
    }
    // Who wrote it may have been done only after the first look: what is read is what is now.
    refresh(state);
    if (state.error != 0 || seen_.has(state.inode, state.version)) return true;
  }
  deliver(path, top, std::move(state));
  return true;
}

void Monitor::wait_with(const std::string& path, std::size_t top, const FileState& state) {
  unsure_.insert_or_assign(state.inode, Unsure{path, top, state.version, Clock::now() + settling});
}

void Monitor::look_at_unsure() {
  const auto now = Clock::now();
  std::vector<std::pair<Inode, Unsure>> due;
  std::copy_if(unsure_.begin(), unsure_.end(), std::back_inserter(due),
               [&](const auto& item) { return item.second.due <= now; });
  std::sort(due.begin(), due.end(),
            [](const auto& a, const auto& b) { return a.second.due < b.second.due; });
  for (const auto& [inode, one] : due) {
    if (stopped_) return;
    unsure_.erase(inode);
    auto state = look_at(one.path);
    if (state.error != 0) {
      put_problem(one.path, Status::io_error, "was gone before it could be read");
    } else if (state.file && writers_of(*state.file) == Writers::some) {
      continue;  // their closing it is told
    } else if (state.inode == inode && state.version == one.version) {
      deliver(one.path, one.top, std::move(state));
    } else if (!seen_.has(state.inode, state.version)) {
      wait_with(one.path, one.top, state);
    }
  }
}

void Monitor::deliver(const std::string& path, std::size_t top, FileState state) {
  unsure_.erase(state.inode);
  stoq::Root root;
  root.path = path;
  root.message = filter_.refuse_file(relative(path, top));
  if (!root.message.empty()) {
    root.status = Status::filtered;
    // Under another name it may be wanted.
    state.inode.number ^= std::hash<std::string>{}(path);
    if (seen_.has(state.inode)) return;
  } else if (state.kind != FileState::Kind::regular) {
    root.status = Status::filtered;
    root.message = state.kind == FileState::Kind::link ? "symbolic link" : "no regular file";
  }
  // Found by looking, it says nothing of what changed since the look began.
  state.changed = std::min(state.changed, look_began_);
  seen_.add(state);
  if (root.status == Status::ok) {
    root.file = "/proc/self/fd/" + std::to_string(state.file->get());
    root.hold = open_.hold(std::move(state.file), [this] { intake_.flush(); });
  }
  put(std::move(root));
}

void Monitor::settle_gone() {
  const auto lost = [&](const std::string& path) {
    put_problem(path, Status::io_error, "was gone before it could be read");
  };
  for (const auto& [watch, name] : std::exchange(gone_, {})) {
    const auto* const known = watches_.find(watch);
    if (known == nullptr) {
      lost(name);
      continue;
    }
    // Its folder may have been moved meanwhile, within what is watched.
    const auto folder = *known;
    if (!look_into(folder.path + name, folder.top, Sign::there)) lost(folder.path + name);
  }
  for (const auto& [cookie, path] : std::exchange(moved_files_, {})) {
    if (!path.empty()) lost(path);
  }
  for (const auto& [cookie, path] : std::exchange(moved_folders_, {})) {
    watches_.remove_below(path);
  }
}

void Monitor::put_problem(const std::string& path, Status status, std::string message) {
  stoq::Root root;
  root.path = path;
  root.status = status;
  root.message = std::move(message);
  put(std::move(root));
}

void Monitor::put(stoq::Root root) {
  ++delivered_;
  const bool more = intake_.put(std::move(root));
  last_ = Clock::now();
  stopped_ = stopped_ || !more || delivered_ == settings_.most_files;
}

}  // namespace dirmon
