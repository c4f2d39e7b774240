/// Compresses a stream of blocks as a file's name asks for. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace file_connector {

class Encoder {
 public:
  Encoder() = default;
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  virtual ~Encoder() = default;

  /// What to write to the file for `block`; valid until the next call.
  [[nodiscard]] virtual std::string_view encode(std::string_view block) = 0;
  /// What to write behind the last block.
  [[nodiscard]] virtual std::string_view finish() = 0;
  /// Whether bytes are written as they are.
  [[nodiscard]] virtual bool is_plain() const noexcept { return false; }
};

enum class Blocks : std::uint8_t {
  joined,  ///< compressed together, where that is smaller
  apart    ///< each can be read without the others: for files that several runs add to
};

/// gzip for ".gz", Zstandard for ".zst", else bytes as they are. `level` 0 is the format's usual
/// one. Throws ConfigError when the format has no such level.
[[nodiscard]] std::unique_ptr<Encoder> make_encoder(std::string_view path, int level,
                                                    Blocks blocks);

}  // namespace file_connector
