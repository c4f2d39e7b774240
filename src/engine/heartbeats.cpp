#include "engine/heartbeats.hpp"

#include <chrono>

namespace stoq::engine {
namespace {

constexpr std::chrono::seconds patience{5};

}  // namespace

Heartbeats::~Heartbeats() {
  for (auto& beat : beats_) beat.thread.request_stop();
  for (auto& beat : beats_) {
    std::unique_lock lock(mutex_);
    if (!ended_.wait_for(lock, patience, [&] { return beat.ended; })) {
      log_.write(LogLevel::warning, beat.name,
                 "heartbeat() was asked to stop and has not returned; waiting for it");
    }
    lock.unlock();
    beat.thread.join();
  }
}

void Heartbeats::start(Plugin& plugin, const std::string& name) {
  if (!plugin.wants_heartbeat()) return;
  auto& beat = beats_.emplace_back();
  beat.name = name;
  try {
    beat.thread = std::jthread(
        [this, &plugin, &beat](const std::stop_token& stop) { run(plugin, beat, stop); });
  } catch (...) {
    beats_.pop_back();
    throw;
  }
}

void Heartbeats::run(Plugin& plugin, Beat& beat, const std::stop_token& stop) {
  const auto report = [&](const char* what) {
    log_.write(LogLevel::error, beat.name,
               std::string("its heartbeat ended: ") + what + "; the run goes on without it");
  };
  try {
    plugin.heartbeat(stop);
  } catch (const std::exception& error) {
    report(error.what());
  } catch (...) {
    report("it threw something that is no std::exception");
  }
  const std::lock_guard lock(mutex_);
  beat.ended = true;
  ended_.notify_all();
}

}  // namespace stoq::engine
