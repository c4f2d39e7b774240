/// What is known of a file the moment it is looked at.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace dirmon {

/// Which file it is, whatever it is called.
struct Inode {
  std::uint64_t device = 0, number = 0;
  std::int64_t born = 0;  ///< nanoseconds since 1970: a number may be used again. 0: not known
  bool operator==(const Inode&) const = default;
};

struct InodeHash {
  std::size_t operator()(const Inode& inode) const noexcept;
};

/// What a write changes.
struct Version {
  std::int64_t written = 0;  ///< nanoseconds since 1970
  std::uint64_t size = 0;
  bool operator==(const Version&) const = default;
};

/// Whether somebody has a file open to write it.
enum class Writers : std::uint8_t { none, some, not_known };

/// An open file, closed at the end.
class OpenFile {
 public:
  explicit OpenFile(int descriptor) noexcept : descriptor_(descriptor) {}
  ~OpenFile();
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

/// What stands at a path.
struct FileState {
  enum class Kind : std::uint8_t { regular, folder, link, special };

  int error = 0;  ///< errno, when it could not be looked at; nothing else then holds
  Kind kind = Kind::special;
  Inode inode;
  Version version;
  std::int64_t changed = 0;        ///< content, name or links; nanoseconds since 1970
  std::shared_ptr<OpenFile> file;  ///< of regular files
};

/// Looks at what stands at the path without following a link there; opens regular files.
[[nodiscard]] FileState look_at(const std::string& path);

/// Asks again of the file that is open.
void refresh(FileState& state);

/// Asks the kernel by a lease, which it gives only of files that nobody writes. It is not known of
/// other users' files (without CAP_LEASE), and on some file systems.
[[nodiscard]] Writers writers_of(const OpenFile& file) noexcept;

}  // namespace dirmon
