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

void SharedIntake::number(Batch& batch) {
  const std::lock_guard lock(mutex_);
  batch.sequence = next_batch_++;
  for (const auto& root : batch.roots) root->number = next_root_++;
}

std::optional<SharedIntake::Clock::time_point> SharedIntake::begin_root() {
  if (!limiter_) return {};
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  const auto due = limiter_->next(now);
  if (due > now) return due;
  limiter_->begin(now);
  return {};
}

BatchIntake::BatchIntake(SharedIntake& shared, Admission& admission, Memory& memory,
                         std::size_t max_child_bytes, unsigned batch_roots,
                         std::uint64_t batch_bytes, Admit admit, std::function<bool()> stopping,
                         std::atomic<std::uint64_t>& expected_roots,
                         std::atomic<std::uint64_t>& expected_bytes, Account* account)
    : shared_(shared),
      admission_(admission),
      memory_(memory),
      max_child_bytes_(max_child_bytes),
      batch_roots_(batch_roots),
      batch_bytes_(batch_bytes),
      admit_(std::move(admit)),
      stopping_(std::move(stopping)),
      expected_roots_(expected_roots),
      expected_bytes_(expected_bytes),
      account_(account) {}

bool BatchIntake::may_begin() {
  // An interrupt comes without a notice: looked at again every few milliseconds.
  constexpr auto look = std::chrono::milliseconds(10);
  while (!stopping_()) {
    const auto due = shared_.begin_root();
    if (!due) return true;
    // What has begun is scanned meanwhile.
    send();
    const auto wait = *due - SharedIntake::Clock::now();
    std::this_thread::sleep_for(std::min<SharedIntake::Clock::duration>(wait, look));
  }
  return false;
}

void BatchIntake::send() {
  if (!batch_) return;
  admission_.enter();
  shared_.number(*batch_);
  admit_(std::move(batch_));
  batch_.reset();
  bytes_ = 0;
}

void BatchIntake::flush() {
  if (std::exchange(flushed_, true)) return;
  // Without roots, too: those sent before had no such mark.
  if (!batch_) batch_ = std::make_shared<Batch>();
  batch_->flush = true;
  send();
}

void BatchIntake::add(Root root, std::uint64_t bytes) {
  if (!batch_) batch_ = std::make_shared<Batch>();
  auto state = std::make_unique<RootState>();
  state->root = std::move(root);
  batch_->roots.push_back(std::move(state));
  bytes_ += bytes;
  flushed_ = false;
  if (batch_->roots.size() >= batch_roots_ || bytes_ >= batch_bytes_) send();
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
    send();
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
  // Added to what other instances said, in place of what this one said before.
  expected_roots_ += roots - std::exchange(said_roots_, roots);
  expected_bytes_ += bytes - std::exchange(said_bytes_, bytes);
}

}  // namespace stoq::engine
