#include "watches.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <stoq/error.hpp>

namespace dirmon {
namespace {

// Not IN_MODIFY: what is still written is of no interest. IN_CREATE: hard links, folders.
constexpr std::uint32_t interest = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
                                   IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t block = std::size_t{64} << 10;

}  // namespace

Watches::Watches() : queue_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (queue_.get() < 0) {
    throw stoq::IoError(std::string("dirmon: cannot watch folders: ") + std::strerror(errno) +
                        (errno == EMFILE ? "; raise fs.inotify.max_user_instances" : ""));
  }
}

Watches::Added Watches::add(const std::string& path, std::size_t top, bool follow) {
  const auto mask = interest | (follow ? 0U : std::uint32_t{IN_DONT_FOLLOW});
  const int watch = ::inotify_add_watch(queue_.get(), path.c_str(), mask);
  if (watch < 0) return {};
  auto folder = path.ends_with('/') ? path : path + '/';
  const bool fresh = folders_.insert_or_assign(watch, Folder{std::move(folder), top}).second;
  return {watch, fresh};
}

void Watches::remove_below(const std::string& path) {
  std::erase_if(folders_, [&](const auto& item) {
    if (!item.second.path.starts_with(path)) return false;
    ::inotify_rm_watch(queue_.get(), item.first);
    return true;
  });
}

const Watches::Folder* Watches::find(int watch) const {
  const auto found = folders_.find(watch);
  return found == folders_.end() ? nullptr : &found->second;
}

void Watches::wait(int milliseconds) const {
  pollfd descriptor{queue_.get(), POLLIN, 0};
  ::poll(&descriptor, 1, milliseconds);
}

std::vector<Event> Watches::read() {
  std::vector<Event> events;
  alignas(inotify_event) std::array<char, block> room;
  const auto got = ::read(queue_.get(), room.data(), room.size());
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return events;
    throw stoq::IoError(std::string("dirmon: cannot read what happened: ") + std::strerror(errno));
  }
  for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
    inotify_event event{};
    std::memcpy(&event, room.data() + at, sizeof event);
    at += sizeof event;
    // The name is filled up with NULs.
    const std::string_view name(room.data() + at, event.len);
    at += event.len;
    events.push_back(
        {event.wd, event.mask, event.cookie, std::string(name.substr(0, name.find('\0')))});
  }
  return events;
}

}  // namespace dirmon
