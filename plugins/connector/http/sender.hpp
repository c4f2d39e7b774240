/// The thread that posts what waits in a queue, and tries again until the far side takes it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "batch_queue.hpp"
#include "post.hpp"

namespace http_connector {

class Sender {
 public:
  struct Patience {
    std::chrono::milliseconds first{200}, most{10'000};  ///< between attempts, doubled each time
    std::chrono::milliseconds at_end{60'000};  ///< without a success, once nothing more comes
  };
  Sender(Target target, BatchQueue& queue, Patience patience);
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  /// Why the far side, or the disk, will take nothing more; empty as long as it may.
  [[nodiscard]] std::string refusal() const;
  /// The queue is closed: returns when all is sent or given up. Why something is left, empty when
  /// nothing is.
  [[nodiscard]] std::string finish();

 private:
  using Clock = std::chrono::steady_clock;
  void run(const std::stop_token& stop);
  /// False: given up.
  bool deliver(const Batch& batch, const std::stop_token& stop);
  [[nodiscard]] bool out_of_patience() const;
  void note(std::string reason, bool for_good);

  Poster poster_;
  BatchQueue& queue_;
  Patience patience_;
  Clock::time_point last_success_;
  mutable std::mutex mutex_;  ///< guards the rest
  std::condition_variable_any waking_;
  std::string reason_;  ///< of the last failure
  bool refused_ = false;
  std::optional<Clock::time_point> ending_;
  std::jthread thread_;
};

}  // namespace http_connector
