/// The threads of plugins that want a heartbeat.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include <stoq/plugin.hpp>

#include "engine/log.hpp"

namespace stoq::engine {

/// Used by one thread. The log and the plugins must outlive it.
class Heartbeats {
 public:
  explicit Heartbeats(Log& log) noexcept : log_(log) {}
  /// Asks all heartbeats to stop, and waits until they have; says which ones keep it waiting.
  ~Heartbeats();
  Heartbeats(const Heartbeats&) = delete;
  Heartbeats& operator=(const Heartbeats&) = delete;

  /// Gives the plugin a thread if it wants one. What heartbeat() throws is logged under `name`.
  void start(Plugin& plugin, const std::string& name);

 private:
  struct Beat {
    std::string name;
    bool ended = false;  // guarded by mutex_
    std::jthread thread;
  };
  void run(Plugin& plugin, Beat& beat, const std::stop_token& stop);

  Log& log_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<Beat> beats_;  // stays in place while it grows
};

}  // namespace stoq::engine
