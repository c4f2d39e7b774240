/// Bounds how many files wait, open, to be read.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

#include "file_state.hpp"

namespace dirmon {

/// Files are released on any thread; all else on one.
class OpenFiles {
 public:
  explicit OpenFiles(std::size_t most) : state_(std::make_shared<State>(most)) {}

  /// What keeps the file open until it is released; waits for a place. `before_waiting` is called
  /// first.
  [[nodiscard]] std::shared_ptr<const void> hold(std::shared_ptr<OpenFile> file,
                                                 const std::function<void()>& before_waiting);

 private:
  struct State {
    explicit State(std::size_t files) : most(files) {}
    std::mutex mutex;
    std::condition_variable released;
    std::size_t most, held = 0;
  };
  std::shared_ptr<State> state_;
};

}  // namespace dirmon
