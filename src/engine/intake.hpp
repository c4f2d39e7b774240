/// Between a source's threads and the graph: groups roots into batches and is the only place that
/// waits, for admission, for memory and for the rate limit.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include <stoq/plugin.hpp>

#include "engine/memory.hpp"
#include "engine/rate_limiter.hpp"
#include "engine/root_state.hpp"

namespace stoq::engine {

/// How many batches are in flight. Entered by the source's thread, left when results are saved.
class Admission {
 public:
  explicit Admission(unsigned window) : window_(window) {}
  /// Waits for a place.
  void enter();
  void leave();
  /// Waits until `ready` holds or nothing is in flight any more.
  void wait_until(const std::function<bool()>& ready);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  unsigned window_, inside_ = 0;
};

/// What the instances of a source share: the numbers of roots and batches, and the rate limit.
class SharedIntake {
 public:
  using Clock = RateLimiter::Clock;

  explicit SharedIntake(const std::optional<RateLimit>& limit) {
    if (limit) limiter_.emplace(*limit);
  }
  /// Gives the batch and its roots the next numbers.
  void number(Batch& batch);
  /// Notes that a root begins now, if it may; otherwise says when to ask again.
  [[nodiscard]] std::optional<Clock::time_point> begin_root();

 private:
  std::mutex mutex_;
  std::uint64_t next_batch_ = 0, next_root_ = 0;
  std::optional<RateLimiter> limiter_;
};

/// One instance's; used by its thread only.
class BatchIntake final : public Intake {
 public:
  using Admit = std::function<void(std::shared_ptr<Batch>)>;

  BatchIntake(SharedIntake& shared, Admission& admission, Memory& memory,
              std::size_t max_child_bytes, unsigned batch_roots, std::uint64_t batch_bytes,
              Admit admit, std::function<bool()> stopping,
              std::atomic<std::uint64_t>& expected_roots,
              std::atomic<std::uint64_t>& expected_bytes, Account* account = nullptr);

  bool put(Root root) override;
  bool produce(Root root, std::uint64_t expected, Children::Fill fill) override;
  void expect(std::uint64_t roots, std::uint64_t bytes) override;
  void flush() override;
  [[nodiscard]] bool stopping() const noexcept override { return stopping_(); }
  /// Sends what is held back; its results may be.
  void send();

 private:
  void add(Root root, std::uint64_t bytes);
  /// Waits until another root may begin; false when the run stops.
  [[nodiscard]] bool may_begin();

  SharedIntake& shared_;
  Admission& admission_;
  Memory& memory_;
  std::size_t max_child_bytes_;
  unsigned batch_roots_;
  std::uint64_t batch_bytes_;
  Admit admit_;
  std::function<bool()> stopping_;
  std::atomic<std::uint64_t>& expected_roots_;
  std::atomic<std::uint64_t>& expected_bytes_;
  Account* account_;  ///< of the source's thread; null without accounts

  std::shared_ptr<Batch> batch_;
  std::uint64_t bytes_ = 0, said_roots_ = 0, said_bytes_ = 0;
  bool flushed_ = true;  ///< nothing was put since the last flush()
};

}  // namespace stoq::engine
