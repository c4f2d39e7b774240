#include "cli/unpack.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoq/error.hpp>

#include "support/text.hpp"

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

// No package of sources is so large; a bomb is.
constexpr std::int64_t most_bytes = std::int64_t{1} << 30;
constexpr std::size_t most_entries = 100'000;

struct Closer {
  void operator()(archive* opened) const noexcept { ::archive_read_free(opened); }
};
using Archive = std::unique_ptr<archive, Closer>;

class OutputFile {
 public:
  OutputFile(const fs::path& path, bool executable)
      : path_(path),
        file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                     executable ? 0755 : 0644)) {
    if (file_ < 0) fail();
  }
  ~OutputFile() {
    if (file_ >= 0) ::close(file_);
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(const char* data, std::size_t size) const {
    while (size > 0) {
      const auto written = ::write(file_, data, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail();
      data += written;
      size -= static_cast<std::size_t>(written);
    }
  }

 private:
  [[noreturn]] void fail() const {
    throw IoError("cannot write '" + path_.string() + "': " + std::strerror(errno));
  }
  fs::path path_;
  int file_;
};

class Unpacking {
 public:
  Unpacking(const fs::path& path, const fs::path& folder) : path_(path), folder_(folder) {
    auto* const opened = archive_.get();
    // Formats of one file or a tree of them only: mtree, for one, names files of this machine.
    ::archive_read_support_format_tar(opened);
    ::archive_read_support_format_gnutar(opened);
    ::archive_read_support_format_zip(opened);
    ::archive_read_support_format_7zip(opened);
    ::archive_read_support_format_cpio(opened);
    for (const auto filter :
         {::archive_read_support_filter_gzip, ::archive_read_support_filter_bzip2,
          ::archive_read_support_filter_xz, ::archive_read_support_filter_zstd,
          ::archive_read_support_filter_lz4, ::archive_read_support_filter_lzip,
          ::archive_read_support_filter_compress}) {
      filter(opened);
    }
    constexpr std::size_t block = 64 << 10;
    if (::archive_read_open_filename(opened, path.c_str(), block) != ARCHIVE_OK) {
      refuse(std::string("no archive that can be read (") + reason() +
             "); a package is a folder, or a .tar.gz, .tar.xz, .tar.zst, .zip or .7z of it");
    }
  }

  /// False at the end.
  bool next() {
    archive_entry* entry = nullptr;
    const int result = ::archive_read_next_header(archive_.get(), &entry);
    if (result == ARCHIVE_EOF) return false;
    if (result < ARCHIVE_WARN) refuse("damaged: " + reason());
    if (++entries_ > most_entries) refuse("it holds too many files for a package");
    take(entry);
    return true;
  }

 private:
  void take(archive_entry* entry) {
    const char* name = ::archive_entry_pathname(entry);
    if (name == nullptr) name = ::archive_entry_pathname_utf8(entry);
    if (name == nullptr) refuse("it holds a name that cannot be read");
    const auto place = inside(name);
    const auto type = ::archive_entry_filetype(entry);
    const bool link =
        ::archive_entry_hardlink(entry) != nullptr || ::archive_entry_symlink(entry) != nullptr;
    if (link || (type != AE_IFREG && type != AE_IFDIR)) {
      refuse("'" + std::string(name) + "' is " + (link ? "a link" : "no file and no folder") +
             "; a package holds files and folders only");
    }
    std::error_code failure;
    fs::create_directories(type == AE_IFDIR ? place : place.parent_path(), failure);
    if (failure) throw IoError("cannot make '" + place.string() + "': " + failure.message());
    if (type == AE_IFREG) write(place, (::archive_entry_perm(entry) & S_IXUSR) != 0);
  }

  /// Where it goes; refuses what would lie outside the folder.
  fs::path inside(const fs::path& name) const {
    bool leaves = name.is_absolute() || name.empty();
    for (const auto& part : name) leaves = leaves || part == "..";
    if (leaves) {
      refuse("'" + name.string() + "' leads out of the package; nothing of it is unpacked");
    }
    return (folder_ / name).lexically_normal();
  }

  void write(const fs::path& place, bool executable) {
    const OutputFile file(place, executable);
    std::array<char, 64 << 10> block{};
    for (;;) {
      const auto count = ::archive_read_data(archive_.get(), block.data(), block.size());
      if (count == 0) return;
      if (count < 0) refuse("damaged: " + reason());
      bytes_ += count;
      if (bytes_ > most_bytes) refuse("it is larger than 1 GiB when unpacked: no package is");
      file.write(block.data(), static_cast<std::size_t>(count));
    }
  }

  [[nodiscard]] std::string reason() const {
    const char* text = ::archive_error_string(archive_.get());
    return text != nullptr ? text : "no reason is known";
  }
  [[noreturn]] void refuse(const std::string& why) const {
    throw ConfigError(support::one_line(path_.string() + ": " + why));
  }

  const fs::path& path_;
  const fs::path& folder_;
  Archive archive_{::archive_read_new()};
  std::int64_t bytes_ = 0;
  std::size_t entries_ = 0;
};

}  // namespace

void unpack(const fs::path& archive, const fs::path& folder, ChildPrograms& programs) {
  Unpacking unpacking(archive, folder);
  while (unpacking.next()) programs.check();
}

}  // namespace stoq::cli
