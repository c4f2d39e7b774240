/// Short messages hashed side by side, in lanes of vector registers or by SHA instructions that
/// overlap: Intel's multi-buffer library, where it was there to build with. OpenSSL hashes one
/// message at a time, most of which the processor waits for itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include <stoq/bytes.hpp>

namespace stoq::support {

class HashLanes {
 public:
  enum class Algorithm : std::uint8_t { sha1, sha256, sha512 };
  struct Message {
    ByteView bytes;
    std::byte* digest;  ///< room for the algorithm's
  };
  /// The library's limit is 16 bits.
  static constexpr std::size_t longest = 60'000;

  /// One thread's own. Null when this build or this processor has nothing faster than OpenSSL.
  /// `sha_instructions`: false for tests of what processors without them do.
  [[nodiscard]] static std::unique_ptr<HashLanes> make(Algorithm algorithm,
                                                       bool sha_instructions = true);
  ~HashLanes();
  HashLanes(const HashLanes&) = delete;
  HashLanes& operator=(const HashLanes&) = delete;

  /// From how many messages of mixed sizes on this is faster than OpenSSL.
  [[nodiscard]] std::size_t least() const noexcept;
  /// Messages are put in another order: like lengths fill the lanes best. None is longer than
  /// `longest`. Throws Error.
  void digest(std::span<Message> messages);

 private:
  struct State;
  explicit HashLanes(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace stoq::support
