/// Files and folders as a corpus: every file below the paths given, in bytewise order of names.
#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoq/plugin.hpp>

#include "glob.hpp"
#include "line_reader.hpp"

namespace {

/// Folders held open at once on the way down; below that many, a folder is opened by its path.
constexpr std::size_t max_open_folders = 64;
constexpr std::size_t most_path = 65535;  // none that can be opened is longer
constexpr std::size_t shown_of_long = 4096;

/// What stands at a path, as far as it matters here: DT_* of <dirent.h>.
using Kind = unsigned char;

std::string_view special_kind(Kind kind) {
  switch (kind) {
    case DT_LNK:
      return "symbolic link";
    case DT_FIFO:
      return "fifo";
    case DT_SOCK:
      return "socket";
    case DT_CHR:
    case DT_BLK:
      return "device";
    default:
      return "no regular file";
  }
}

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

/// The names in a folder, back to back in one string: 16 bytes an entry beside its name.
class Names {
 public:
  void add(std::string_view name, Kind kind) {
    entries_.push_back({text_.size(), static_cast<std::uint16_t>(name.size()), kind});
    text_ += name;
  }
  void sort() {
    std::sort(entries_.begin(), entries_.end(),
              [this](const Entry& a, const Entry& b) { return name(a) < name(b); });
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  /// The name at `index`; a NUL stands behind it only in a copy.
  [[nodiscard]] std::string_view name(std::size_t index) const { return name(entries_[index]); }
  [[nodiscard]] Kind kind(std::size_t index) const { return entries_[index].kind; }

 private:
  struct Entry {
    std::size_t offset;
    std::uint16_t length;  // names are 255 bytes at most, by <dirent.h>
    Kind kind;
  };
  // string_view compares as unsigned bytes.
  [[nodiscard]] std::string_view name(const Entry& entry) const {
    return std::string_view(text_).substr(entry.offset, entry.length);
  }

  std::string text_;
  std::vector<Entry> entries_;
};

/// A folder on the way down. Its handle is kept so that children open relative to it.
struct Level {
  OpenFolder folder;  ///< null when too many are open: children then open by path
  Names names;
  std::size_t next = 0;
  std::size_t path_size = 0;  ///< of the walk's path when this folder is the current one
};

/// One run over the input.
class Walk {
 public:
  Walk(const stoq::common::Filter& filter, stoq::Intake& intake)
      : filter_(filter), intake_(intake) {}

  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }

  /// Delivers the file at `path` or all below the folder. A link is followed only where the user
  /// named it himself (`follow`). False: stop.
  bool start(const std::string& path, bool follow) {
    if (path.find('\0') != std::string::npos) return fail(path, "path holds a NUL byte");
    struct stat about {};
    if (::fstatat(AT_FDCWD, path.c_str(), &about, follow ? 0 : AT_SYMLINK_NOFOLLOW) != 0) {
      return fail(path, std::strerror(errno));
    }
    path_ = path;
    if (!S_ISDIR(about.st_mode)) {
      const std::string_view given = path;
      relative_from_ = given.starts_with("./") ? 2 : 0;
      return deliver(static_cast<Kind>(IFTODT(about.st_mode)));
    }
    if (!path_.ends_with('/')) path_ += '/';
    relative_from_ = path_.size();
    return walk(path, follow);
  }

  /// Reports what could not be read.
  bool fail(std::string path, std::string_view reason) {
    return put(std::move(path), stoq::Status::io_error, reason);
  }

 private:
  bool walk(const std::string& top, bool follow) {
    std::vector<Level> levels;
    if (!enter(levels, AT_FDCWD, top.c_str(), follow ? 0 : O_NOFOLLOW)) return false;
    while (!levels.empty()) {
      auto& level = levels.back();
      path_.resize(level.path_size);
      if (level.next == level.names.size()) {
        levels.pop_back();
        continue;
      }
      const auto index = level.next++;
      const auto name_at = path_.size();
      path_ += level.names.name(index);
      const auto kind = known_kind(level, level.names.kind(index), name_at);
      if (kind == DT_DIR ? !descend(levels, name_at) : !deliver(kind)) return false;
    }
    return true;
  }

  /// The kind of the entry whose path is path_, asked for where the file system did not say. What
  /// cannot be asked goes on as a regular file, so that opening it tells why.
  Kind known_kind(const Level& level, Kind kind, std::size_t name_at) const {
    if (kind != DT_UNKNOWN) return kind;
    struct stat about {};
    const auto failed = level.folder
                            ? ::fstatat(::dirfd(level.folder.get()), path_.c_str() + name_at,
                                        &about, AT_SYMLINK_NOFOLLOW)
                            : ::fstatat(AT_FDCWD, path_.c_str(), &about, AT_SYMLINK_NOFOLLOW);
    return failed != 0 ? Kind{DT_REG} : static_cast<Kind>(IFTODT(about.st_mode));
  }

  bool descend(std::vector<Level>& levels, std::size_t name_at) {
    auto refused = filter_.refuse_folder(relative());
    if (!refused.empty()) return put(path_, stoq::Status::filtered, refused);
    const auto* parent = levels.back().folder.get();
    const int at = parent != nullptr ? ::dirfd(levels.back().folder.get()) : AT_FDCWD;
    const auto name = path_.substr(parent != nullptr ? name_at : 0);
    return enter(levels, at, name.c_str(), O_NOFOLLOW);
  }

  /// Opens and reads a folder. One that cannot be read is reported; false: stop.
  bool enter(std::vector<Level>& levels, int at, const char* name, int flags) {
    const int descriptor = ::openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    if (descriptor < 0) return fail(path_, std::strerror(errno));
    OpenFolder folder(::fdopendir(descriptor));
    if (!folder) {
      const int reason = errno;
      ::close(descriptor);
      return fail(path_, std::strerror(reason));
    }
    Level level;
    errno = 0;
    while (const auto* entry = ::readdir(folder.get())) {
      const std::string_view found = entry->d_name;
      if (found != "." && found != "..") level.names.add(found, entry->d_type);
      errno = 0;
    }
    const int reason = errno;
    if (reason != 0 && !fail(path_, std::strerror(reason))) return false;
    level.names.sort();
    if (!path_.ends_with('/')) path_ += '/';
    level.path_size = path_.size();
    if (levels.size() < max_open_folders) level.folder = std::move(folder);
    levels.push_back(std::move(level));
    return true;
  }

  /// Delivers what stands at path_ and is no folder.
  bool deliver(Kind kind) {
    if (kind != DT_REG) return put(path_, stoq::Status::filtered, special_kind(kind));
    auto refused = filter_.refuse_file(relative());
    if (!refused.empty()) return put(path_, stoq::Status::filtered, refused);
    return put(path_, stoq::Status::ok, {});
  }

  bool put(std::string path, stoq::Status status, std::string_view message) {
    stoq::Root root;
    root.file = path;
    root.path = std::move(path);
    root.status = status;
    root.message = message;
    ++delivered_;
    return intake_.put(std::move(root));
  }

  [[nodiscard]] std::string_view relative() const {
    return std::string_view(path_).substr(relative_from_);
  }

  const stoq::common::Filter& filter_;
  stoq::Intake& intake_;
  std::string path_;
  std::size_t relative_from_ = 0;  ///< where in path_ that begins which globs are matched against
  std::uint64_t delivered_ = 0;
};

class Filedir : public stoq::Source {
 public:
  void ingest(const stoq::Input& input, stoq::Intake& intake) override {
    const stoq::common::Filter filter(input.include, input.exclude);
    Walk walk(filter, intake);
    for (const auto& path : input.paths) {
      if (!walk.start(path, true)) return;
    }
    if (!input.files_from.empty() && !from_list(input.files_from, walk, intake)) return;
    intake.expect(walk.delivered(), 0);
  }

 private:
  static bool from_list(const std::string& file, Walk& walk, stoq::Intake& intake) {
    stoq::common::LineReader list(
        file,
        {.what = "cannot read the list of files", .most = most_path, .may_end_with_nul = true});
    const auto go_on = [&] { return !intake.stopping(); };
    while (const auto path = list.next(go_on)) {
      const bool more = path->too_long ? walk.fail(path->text.substr(0, shown_of_long),
                                                   std::strerror(ENAMETOOLONG))
                                       : walk.start(path->text, false);
      if (!more) return false;
    }
    return !intake.stopping();
  }
};

}  // namespace

STOQ_PLUGIN(Filedir)
