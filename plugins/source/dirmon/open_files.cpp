#include "open_files.hpp"

#include <utility>

namespace dirmon {

std::shared_ptr<const void> OpenFiles::hold(std::shared_ptr<OpenFile> file,
                                            const std::function<void()>& before_waiting) {
  std::unique_lock lock(state_->mutex);
  if (state_->held >= state_->most) {
    lock.unlock();
    before_waiting();
    lock.lock();
    state_->released.wait(lock, [this] { return state_->held < state_->most; });
  }
  ++state_->held;
  auto* const kept = file.get();
  return {kept, [state = state_, file = std::move(file)](const void*) mutable {
            file.reset();
            {
              const std::lock_guard guard(state->mutex);
              --state->held;
            }
            state->released.notify_one();
          }};
}

}  // namespace dirmon
