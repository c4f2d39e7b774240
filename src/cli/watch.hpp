/// Looks after a run from a thread of its own: signals, and a line of progress on the terminal.
#pragma once

#include <atomic>
#include <csignal>
#include <thread>

#include "engine/run.hpp"

namespace stoq::cli {

/// Takes SIGINT and SIGTERM away from the threads started while it lives; construct it before any
/// of them.
class SignalBlock {
 public:
  SignalBlock();
  ~SignalBlock();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

  [[nodiscard]] const sigset_t& signals() const noexcept { return signals_; }
  /// Waits so many seconds, or until one of the signals comes, or came and nobody took it: true.
  [[nodiscard]] bool wait(double seconds) const;

 private:
  sigset_t signals_{}, before_{};
};

/// The first SIGINT or SIGTERM interrupts the run, at its beginning while there is none yet; so
/// that plugins are deactivated. The second ends the program at once (exit code 130).
class Watch {
 public:
  /// `draw`: show progress on standard error. The block must outlive the watch.
  Watch(const SignalBlock& block, bool draw);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// Looks after this run from now on; it must outlive the watch, or its finish().
  void follow(engine::Run& run) noexcept;
  /// Looks no more. Signals that come later wait for whoever takes them.
  void finish();
  /// Whether a signal came; for certain after finish().
  [[nodiscard]] bool interrupted() const noexcept { return interrupted_; }

 private:
  void loop();
  void take_signal();

  std::atomic<engine::Run*> run_ = nullptr;
  std::atomic<bool> interrupted_ = false;
  bool draw_;
  int signals_, ended_;
  std::thread thread_;
};

}  // namespace stoq::cli
