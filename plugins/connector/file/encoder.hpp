/// Compresses a stream of blocks as a file's name asks for. One thread.
#pragma once

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
};

/// gzip for ".gz", Zstandard for ".zst", else bytes as they are. `level` 0 is the format's usual
/// one. Throws ConfigError when the format has no such level.
[[nodiscard]] std::unique_ptr<Encoder> make_encoder(std::string_view path, int level);

}  // namespace file_connector
