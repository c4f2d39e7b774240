/// Decompressors as step functions, and the loop that drives one into a Buffer under its limits.
#pragma once

#include <cstddef>
#include <span>

#include <stoq/buffer.hpp>
#include <stoq/bytes.hpp>
#include <stoq/plugin.hpp>

namespace stoq::common {

/// What one call of a decompressor did.
struct Step {
  enum class State { more, end, corrupt, unsupported };

  std::size_t consumed = 0;
  std::size_t produced = 0;
  State state = State::more;
  const char* reason = "";  ///< for corrupt and unsupported; static storage
};

/// A decompressor for one stream. Not thread-safe.
class StreamDecoder {
 public:
  StreamDecoder() = default;
  StreamDecoder(const StreamDecoder&) = delete;
  StreamDecoder& operator=(const StreamDecoder&) = delete;
  virtual ~StreamDecoder() = default;
  /// Decodes from the front of `in` (all that is left of the input) into `out`, which is not empty.
  virtual Step step(ByteView in, std::span<std::byte> out) = 0;
};

/// Decodes one stream at the start of `in` into `out` and returns how many bytes it took. What is
/// decoded before a fault is committed before MalformedInput or Unsupported is thrown. Throws
/// LimitReached when the stream holds more than `out` may, or the request is to stop.
std::size_t pump(StreamDecoder& decoder, ByteView in, Buffer& out, const Request& request);

/// Bytes as the element type a C library takes.
template <class T>
const T* data_as(ByteView bytes) noexcept {
  return static_cast<const T*>(static_cast<const void*>(bytes.data()));
}
template <class T>
T* data_as(std::span<std::byte> bytes) noexcept {
  return static_cast<T*>(static_cast<void*>(bytes.data()));
}

}  // namespace stoq::common
