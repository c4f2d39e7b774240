/// Batches of results on their way to the far side: in memory up to a limit, then in a file.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

namespace http_connector {

/// What one post carries.
struct Batch {
  std::string key;      ///< the same in each attempt, in every run; at most 39 letters
  std::uint64_t count;  ///< results
  std::string lines;    ///< of JSON, each with its line end; the body of the post
};

/// First in, first out. One thread pushes, one takes. What an earlier run left in the file comes
/// first.
class BatchQueue {
 public:
  /// `most`: bytes of batches in memory. Throws IoError when the file cannot be used.
  BatchQueue(std::string file, std::size_t most);
  ~BatchQueue();
  BatchQueue(const BatchQueue&) = delete;
  BatchQueue& operator=(const BatchQueue&) = delete;

  /// Never waits for the far side. Throws IoError when the disk cannot take it.
  void push(Batch batch);
  /// No more will be pushed.
  void close();
  /// The oldest batch, which stays until pop(); waits for one. Nothing: closed and empty, or
  /// `stop`. Throws IoError.
  [[nodiscard]] std::optional<Batch> front(std::stop_token stop);
  void pop();
  /// Writes what is left into the file, for the next run, or removes the file. How many results.
  std::uint64_t settle();

 private:
  void append(int file, std::uint64_t& end, const Batch& batch) const;
  [[nodiscard]] std::optional<Batch> read_file();
  void find_end();
  void copy_rest(int to, std::uint64_t at) const;
  [[noreturn]] void fail(const char* what) const;

  const std::string path_;
  const std::size_t most_;
  int file_ = -1;

  std::mutex mutex_;  ///< guards the rest
  std::condition_variable_any changed_;
  std::deque<Batch> memory_;  ///< older than what stands in the file, but for an earlier run's
  std::size_t bytes_ = 0;
  std::uint64_t at_ = 0, end_ = 0;  ///< of the file: next batch, end of the last
  std::uint64_t next_at_ = 0;       ///< behind the batch that front() gave
  std::uint64_t in_file_ = 0;       ///< results between at_ and end_
  std::uint64_t front_count_ = 0;
  bool front_in_file_ = false, closed_ = false;
};

}  // namespace http_connector
