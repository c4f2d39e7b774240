/// Payloads kept as files named by their hash: BASE/h/a/s/h/e/hashes…, as stoQ 0.10 lays them out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <stoq/buffer.hpp>
#include <stoq/bytes.hpp>

namespace file_connector {

/// Thread-safe; several processes may share a folder.
class ArchiveFolder {
 public:
  /// `sync`: a file is on the disk before keep() returns.
  ArchiveFolder(std::filesystem::path base, bool sync) : base_(std::move(base)), sync_(sync) {}

  /// Makes the base folder. Throws IoError when nothing can be written there.
  void prepare() const;
  /// Keeps bytes under a hash. The file appears whole or not at all, and one that is there stays
  /// untouched: false. Throws IoError, also when what is there cannot be these bytes.
  [[nodiscard]] bool keep(std::string_view hash, stoq::ByteView bytes) const;
  /// Appends what is kept under a hash. Throws IoError when there is no such file.
  void get(std::string_view hash, stoq::Buffer& out) const;

 private:
  [[nodiscard]] std::filesystem::path place_of(std::string_view hash) const;

  std::filesystem::path base_;
  bool sync_;
};

/// Appends an open regular file. Throws IoError, which names `path`.
void read_into(int descriptor, const std::string& path, stoq::Buffer& out);

}  // namespace file_connector
