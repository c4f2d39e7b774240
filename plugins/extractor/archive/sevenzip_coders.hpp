/// The methods of 7z as streams one reads from: a folder is a tree of them, with the packed bytes
/// at its leaves. Streams are used by one thread and look at memory that must outlive them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include <stoq/plugin.hpp>

#include "sevenzip_header.hpp"
#include "sevenzip_keyring.hpp"

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

[[nodiscard]] bool is_encrypted(const Folder& folder) noexcept;
/// Whether a coder is left to libarchive, which knows it.
[[nodiscard]] bool needs_libarchive(const Folder& folder) noexcept;

/// What `folder` holds. Throws Unsupported when a coder is unknown or wants too much memory.
[[nodiscard]] std::unique_ptr<Stream> open(const Folder& folder, Keyring& keyring,
                                           const stoq::Request& request);

}  // namespace archive_plugin::sevenzip
