#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

#include "stoq/bytes.hpp"

namespace stoq {

/// A growable, contiguous output buffer that the engine pools and charges. A plugin writes a child
/// into it; each growth is checked against the limits as bytes come, so that a bomb stops
/// mid-stream. Valid during the call it was handed to; used by one thread.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  virtual ~Buffer() = default;

  /// Bytes committed so far.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] ByteView view() const noexcept { return {data_, size_}; }

  /// How many more bytes the limits leave to this child.
  [[nodiscard]] std::size_t remaining() const noexcept { return most_ - size_; }

  /// Room for exactly `count` bytes behind what is committed; contents undefined; invalidates
  /// earlier spans. Throws LimitReached("child_bytes") when count > remaining(): ask for no more
  /// than remaining() when a claim is only a claim.
  [[nodiscard]] std::span<std::byte> prepare(std::size_t count) {
    if (count > most_ - size_) throw LimitReached{"child_bytes"};
    if (count > capacity_ - size_) grow(size_ + count);
    return {data_ + size_, count};
  }

  /// Makes the first `count` bytes of the prepared room part of the child. Throws LimitReached when
  /// the payload's ratio or the root's bytes are spent.
  void commit(std::size_t count) {
    size_ += count;
    if (size_ > charged_) charge();
  }

  /// prepare, copy, commit.
  void append(ByteView bytes) {
    std::copy(bytes.begin(), bytes.end(), prepare(bytes.size()).begin());
    commit(bytes.size());
  }

 protected:
  /// Makes capacity_ >= least, keeping the first size_ bytes.
  virtual void grow(std::size_t least) = 0;
  /// Called when size_ has passed charged_: counts it against the limits and raises charged_.
  virtual void charge() = 0;

  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t most_ = 0;     ///< max_child_bytes
  std::size_t charged_ = 0;  ///< up to here the limits agreed
};

}  // namespace stoq
