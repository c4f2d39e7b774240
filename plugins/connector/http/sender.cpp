#include "sender.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace http_connector {

Sender::Sender(Target target, BatchQueue& queue, Patience patience)
    : poster_(std::move(target)),
      queue_(queue),
      patience_(patience),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

std::string Sender::refusal() const {
  const std::lock_guard lock(mutex_);
  return refused_ ? reason_ : std::string();
}

std::string Sender::finish() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = Clock::now();
  }
  thread_.join();
  const std::lock_guard lock(mutex_);
  return reason_;
}

void Sender::note(std::string reason, bool for_good) {
  const std::lock_guard lock(mutex_);
  reason_ = std::move(reason);
  refused_ = refused_ || for_good;
}

void Sender::run(const std::stop_token& stop) {
  try {
    while (const auto batch = queue_.front(stop)) {
      if (!deliver(*batch, stop)) return;
      queue_.pop();
      note({}, false);
    }
  } catch (const std::exception& error) {
    note(error.what(), true);
  }
}

bool Sender::deliver(const Batch& batch, const std::stop_token& stop) {
  auto wait = patience_.first;
  for (unsigned attempt = 1;; ++attempt) {
    const auto answer = poster_.post(batch, attempt);
    if (answer.kind == Answer::Kind::taken) {
      last_success_ = Clock::now();
      return true;
    }
    note(answer.reason, answer.kind == Answer::Kind::refused);
    if (answer.kind == Answer::Kind::refused || out_of_patience()) return false;
    std::unique_lock lock(mutex_);
    const auto asked = std::chrono::duration_cast<std::chrono::milliseconds>(answer.wait);
    waking_.wait_for(lock, stop, std::max(wait, std::min(asked, patience_.most)),
                     [] { return false; });
    if (stop.stop_requested()) return false;
    wait = std::min(2 * wait, patience_.most);
  }
}

bool Sender::out_of_patience() const {
  const std::lock_guard lock(mutex_);
  return ending_ && Clock::now() - std::max(*ending_, last_success_) >= patience_.at_end;
}

}  // namespace http_connector
