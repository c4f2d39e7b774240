/// The methods of 7z as streams one reads from: a folder is a tree of them, with the packed bytes
/// at its leaves. Streams are used by one thread and look at memory that must outlive them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

#include "sevenzip_header.hpp"

namespace archive_plugin::sevenzip {

class Stream {
 public:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;
  /// Fills the front of `out`, which is not empty, and returns how much of it: 0 at the end.
  /// Throws MalformedInput or Unsupported.
  virtual std::size_t read(std::span<std::byte> out) = 0;
};

/// Makes keys of passwords, and keeps them: each costs half a million rounds of SHA-256.
class Keyring {
 public:
  using Key = std::vector<std::byte>;

  Keyring(const std::vector<std::string>& passwords, const stoq::Request& request)
      : request_(request),
        passwords_(passwords),
        rounds_left_((std::uint64_t{1} << 26U) + (std::uint64_t{passwords.size()} << 20U)) {}

  [[nodiscard]] std::size_t size() const noexcept { return passwords_.size(); }
  /// The password that is used from here on.
  void choose(std::size_t index) noexcept { chosen_ = index; }
  /// Throws Unsupported when that takes more rounds than any archive in good faith needs.
  [[nodiscard]] const Key& key(unsigned cycles, stoq::ByteView salt);

 private:
  const stoq::Request& request_;
  const std::vector<std::string>& passwords_;
  std::size_t chosen_ = 0;
  std::uint64_t rounds_left_;  ///< an archive may want a key of its own for each member
  std::map<std::pair<std::size_t, std::string>, Key> keys_;
};

[[nodiscard]] bool is_encrypted(const Folder& folder) noexcept;
/// Whether a coder is left to libarchive, which knows it.
[[nodiscard]] bool needs_libarchive(const Folder& folder) noexcept;

/// What `folder` holds. Throws Unsupported when a coder is unknown or wants too much memory.
[[nodiscard]] std::unique_ptr<Stream> open(const Folder& folder, Keyring& keyring,
                                           const stoq::Request& request);

}  // namespace archive_plugin::sevenzip
