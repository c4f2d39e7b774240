#include "engine/intake.hpp"

#include <algorithm>
#include <chrono>
#include <new>
#include <thread>
#include <utility>

namespace stoq::engine {

void Admission::enter() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return inside_ < window_; });
  ++inside_;
}

void Admission::leave() {
  {
    const std::lock_guard lock(mutex_);
    --inside_;
  }
  changed_.notify_all();
}

void Admission::wait_until(const std::function<bool()>& ready) {
  std::unique_lock lock(mutex_);
  // Credit comes back without a notice: looked at again every few milliseconds.
  while (inside_ > 0 && !ready()) changed_.wait_for(lock, std::chrono::milliseconds(2));
}

BatchIntake::BatchIntake(Admission& admission, Memory& memory, std::size_t max_child_bytes,
                         unsigned batch_roots, std::uint64_t batch_bytes, Admit admit,
                         std::function<bool()> stopping, std::atomic<std::uint64_t>& expected_roots,
                         std::atomic<std::uint64_t>& expected_bytes, RateLimiter* limiter,
                         Account* account)
    : admission_(admission),
      memory_(memory),
      max_child_bytes_(max_child_bytes),
      batch_roots_(batch_roots),
      batch_bytes_(batch_bytes),
      admit_(std::move(admit)),
      stopping_(std::move(stopping)),
      expected_roots_(expected_roots),
      expected_bytes_(expected_bytes),
      limiter_(limiter),
      account_(account) {}

bool BatchIntake::may_begin() {
  if (limiter_ == nullptr) return !stopping_();
  const auto due = limiter_->next(RateLimiter::Clock::now());
  // What has begun is scanned meanwhile.
  if (due > RateLimiter::Clock::now()) flush();
  // An interrupt comes without a notice: looked at again every few milliseconds.
  constexpr auto look = std::chrono::milliseconds(10);
  for (auto now = RateLimiter::Clock::now(); now < due; now = RateLimiter::Clock::now()) {
    if (stopping_()) return false;
    std::this_thread::sleep_for(std::min<RateLimiter::Clock::duration>(due - now, look));
  }
  limiter_->begin(RateLimiter::Clock::now());
  return !stopping_();
}

void BatchIntake::flush() {
  if (!batch_) return;
  admission_.enter();
  batch_->sequence = next_batch_++;
  admit_(std::move(batch_));
  batch_.reset();
  bytes_ = 0;
}

void BatchIntake::add(Root root, std::uint64_t bytes) {
  if (!batch_) batch_ = std::make_shared<Batch>();
  auto state = std::make_unique<RootState>();
  state->root = std::move(root);
  state->number = next_root_++;
  batch_->roots.push_back(std::move(state));
  bytes_ += bytes;
  if (batch_->roots.size() >= batch_roots_ || bytes_ >= batch_bytes_) flush();
}

bool BatchIntake::put(Root root) {
  const Spell spell(account_, Activity::admit);
  if (!may_begin()) return false;
  const auto bytes = root.bytes.size();
  add(std::move(root), bytes);
  return true;
}

bool BatchIntake::produce(Root root, std::uint64_t expected, Children::Fill fill) {
  const Spell spell(account_, Activity::admit);
  if (!may_begin()) return false;
  auto& credit = memory_.credit();
  const auto wanted = std::min<std::uint64_t>(expected, max_child_bytes_);
  const auto fits = [&] { return credit.used() + wanted <= credit.budget() / 2 || stopping_(); };
  if (!fits()) {
    flush();
    admission_.wait_until(fits);
  }
  const auto nothing = [](std::uint64_t) {};
  // The lane of no thread of the graph: paid from the shared pool, or spilled.
  PooledBuffer buffer(memory_, memory_.outside(), Prefer::shared, max_child_bytes_, nothing);
  const auto fail = [&](Status status, const char* message) {
    root.status = status;
    root.message = message;
  };
  try {
    const BackInCall source(account_);
    fill(buffer);
  } catch (const LimitReached&) {
    fail(Status::partial, "larger than max_child_bytes: cut there");
  } catch (const Encrypted& error) {
    fail(Status::encrypted, error.what());
  } catch (const Unsupported& error) {
    fail(Status::unsupported, error.what());
  } catch (const MalformedInput& error) {
    fail(Status::corrupt, error.what());
  } catch (const IoError& error) {
    fail(Status::io_error, error.what());
  } catch (const std::bad_alloc&) {
    fail(Status::out_of_memory, "no memory for it");
  } catch (const std::exception& error) {
    fail(Status::crash, error.what());
  }
  root.bytes = buffer.release();
  const auto bytes = root.bytes.size();
  add(std::move(root), bytes);
  return true;
}

void BatchIntake::expect(std::uint64_t roots, std::uint64_t bytes) {
  expected_roots_ = roots;
  expected_bytes_ = bytes;
}

}  // namespace stoq::engine
