#include "engine/loader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/fetch.hpp"

namespace stoq::engine {
namespace {

// Up to here a copy into a warm block of the pool is cheaper than the page faults of a mapping;
// larger blocks are not kept.
constexpr std::size_t mapped_from = std::size_t{8} << 20;
constexpr std::size_t large_file = std::size_t{256} << 10;
constexpr int open_flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

class File {
 public:
  explicit File(int descriptor) noexcept : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] int get() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

bool fail(RootState& root, Status status, std::string_view kind, std::string message) {
  root.fail(status, kind, message);
  return false;
}

std::size_t read_some(int file, std::span<std::byte> room, std::size_t at) {
  for (;;) {
    const auto count = ::pread(file, room.data(), room.size(), static_cast<off_t>(at));
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) throw IoError(std::string("cannot be read: ") + std::strerror(errno));
  }
}

}  // namespace

OpenFolder::~OpenFolder() { leave(); }

void OpenFolder::leave() noexcept {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

int OpenFolder::open(const std::string& file) {
  const auto slash = file.rfind('/');
  if (slash == file.npos || slash == 0) return ::open(file.c_str(), open_flags);
  const auto path = std::string_view(file).substr(0, slash);
  if (path != path_) {
    leave();
    path_ = path;
    return ::open(file.c_str(), open_flags);
  }
  if (descriptor_ < 0) descriptor_ = ::open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  const int found =
      descriptor_ < 0 ? -1 : ::openat(descriptor_, file.c_str() + slash + 1, open_flags);
  return found >= 0 ? found : ::open(file.c_str(), open_flags);
}

bool Loader::wanted(RootState& root, std::uint64_t size) const {
  if (size < config_.min_size) {
    return fail(root, Status::filtered, "min_size",
                std::to_string(size) + " bytes, smaller than min_size");
  }
  if (config_.max_size && size > *config_.max_size) {
    return fail(root, Status::filtered, "max_size",
                std::to_string(size) + " bytes, larger than max_size");
  }
  return true;
}

Bytes Loader::read(int file, std::size_t size, unsigned lane) {
  // One byte more than promised: a file that grows or lies about its size (as /proc does) is read
  // to its end.
  std::size_t most = std::max(size + 1, std::size_t{4096});
  const auto nothing = [](std::uint64_t) {};
  PooledBuffer buffer(memory_, lane, Prefer::lane, SIZE_MAX, nothing);
  for (;;) {
    const auto room = buffer.prepare(most);
    const auto got = read_some(file, room, buffer.size());
    buffer.commit(got);
    if (got == 0 || (size > 0 && buffer.size() == size && got < room.size())) break;
    most = std::max(most - got, std::size_t{4096});
  }
  return buffer.release();
}

const PluginEntry* Loader::fetcher(std::string_view name) const noexcept {
  for (const auto number : plugins_.fetchers) {
    if (plugins_.plugins[number].name == name) return &plugins_.plugins[number];
  }
  return nullptr;
}

/// The other place where a plugin's exceptions end: this call is for no payload yet.
bool Loader::fetch(RootState& root, unsigned lane) {
  const auto* const found = fetcher(root.root.archive);
  const auto io_error = [&](const std::string& why) {
    return fail(root, Status::io_error, "io_error", why);
  };
  if (found == nullptr) {
    return io_error("its source does not fetch from a connector '" + root.root.archive +
                    "'; 'stoq info' of the source says how to let it");
  }
  if (const auto problem = query_problem(root.root.query); !problem.empty()) {
    return io_error("cannot be fetched: " + problem);
  }
  const auto most = config_.max_size ? std::min<std::uint64_t>(*config_.max_size, SIZE_MAX - 1) + 1
                                     : std::uint64_t{SIZE_MAX};
  const auto nothing = [](std::uint64_t) {};
  PooledBuffer buffer(memory_, lane, Prefer::lane, most, nothing);
  try {
    dynamic_cast<const Connector&>(*found->plugin).get_file(root.root.query, buffer);
    check_hash(root.root.query, buffer.view(), found->qualified);
    root.bytes = buffer.release();
    return wanted(root, root.bytes.size());
  } catch (const LimitReached&) {
    return fail(root, Status::filtered, "max_size", "larger than max_size");
  } catch (const Unsupported& error) {
    return fail(root, Status::unsupported, "unsupported", found->qualified + ": " + error.what());
  } catch (const Error& error) {
    return io_error(error.what());
  } catch (const std::bad_alloc&) {
    return fail(root, Status::out_of_memory, "out_of_memory", "no memory to fetch it");
  } catch (const std::exception& error) {
    return fail(root, Status::crash, "crash", found->qualified + ": " + error.what());
  }
}

bool Loader::load(RootState& root, unsigned lane, OpenFolder& folder,
                  FunctionRef<void()> before_large) {
  root.started = Clock::now();
  const bool loaded = read_content(root, lane, folder, before_large);
  root.root.hold.reset();
  return loaded;
}

bool Loader::read_content(RootState& root, unsigned lane, OpenFolder& folder,
                          FunctionRef<void()> before_large) {
  if (root.root.status != Status::ok && root.root.bytes.empty()) {
    return fail(root, root.root.status, to_string(root.root.status), root.root.message);
  }
  if (!root.root.archive.empty()) return fetch(root, lane);
  if (root.root.file.empty()) {
    if (root.root.status != Status::ok) {
      root.fail(root.root.status, to_string(root.root.status), root.root.message);
    }
    root.bytes = std::move(root.root.bytes);
    return wanted(root, root.bytes.size());
  }
  const File file(folder.open(root.root.file));
  struct stat facts {};
  if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) {
    return fail(root, Status::io_error, "io_error",
                std::string("cannot be opened: ") + std::strerror(errno));
  }
  if (!S_ISREG(facts.st_mode)) return fail(root, Status::filtered, "special", "no regular file");
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (!wanted(root, size)) return false;
  if (size >= large_file) before_large();
  try {
    root.bytes =
        size >= mapped_from ? memory_.map_file(file.get(), size) : read(file.get(), size, lane);
  } catch (const IoError& error) {
    return fail(root, Status::io_error, "io_error", error.what());
  } catch (const std::bad_alloc&) {
    return fail(root, Status::out_of_memory, "out_of_memory", "no memory to read it");
  }
  return true;
}

}  // namespace stoq::engine
