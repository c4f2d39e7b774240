/// MD5, SHA-1, SHA-256, SHA-512 by OpenSSL: algorithms fetched once, contexts reused. Several short
/// messages in lanes, where those are faster.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include <stoq/bytes.hpp>

namespace stoq::support {

using Sha256 = std::array<std::byte, 32>;

/// Which digests to make; SHA-256 always.
struct DigestSet {
  bool md5 = false, sha1 = false, sha512 = false;
};

struct DigestResult {
  Sha256 sha256{};
  std::array<std::byte, 16> md5{};
  std::array<std::byte, 20> sha1{};
  std::array<std::byte, 64> sha512{};
};

/// One thread's hasher: make one per thread and keep it.
class Digester {
 public:
  explicit Digester(DigestSet set = {});
  ~Digester();
  Digester(const Digester&) = delete;
  Digester& operator=(const Digester&) = delete;

  /// All digests of the set over `bytes`, in blocks that stay in the cache. Bytes of a mapped file
  /// are mapped some MiB at a time.
  DigestResult digest(ByteView bytes);
  /// The same of each message, of short ones several at a time.
  void digest(std::span<const ByteView> messages, std::span<DigestResult> results);
  /// SHA-256 alone, of a few pieces in turn.
  Sha256 sha256(std::initializer_list<ByteView> pieces);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Writes lower-case hex: two digits a byte.
void to_hex(ByteView bytes, char* digits) noexcept;
/// Appends lower-case hex.
void append_hex(std::string& out, ByteView bytes);

}  // namespace stoq::support
