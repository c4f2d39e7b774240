#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>

#include <mspack.h>

#include "formats.hpp"

namespace archive_plugin {

namespace {

using stoq::ByteView;

constexpr const char* input_name = "payload";
constexpr const char* output_name = "member";

/// What one call works on. libmspack is C: what a Buffer throws is kept in `failure` and thrown
/// again once libmspack has returned.
struct System : mspack_system {
  ByteView payload;
  const stoq::Request* request = nullptr;
  stoq::Buffer* out = nullptr;
  std::exception_ptr failure = nullptr;
};

/// An open file of ours: the payload to read, or the member to write.
struct File : mspack_file {
  System* system = nullptr;
  std::size_t position = 0;
};

System& system_of(mspack_system* self) { return *static_cast<System*>(self); }
File& file_of(mspack_file* file) { return *static_cast<File*>(file); }

mspack_file* open_file(mspack_system* self, const char* name, int mode) {
  const bool known = mode == MSPACK_SYS_OPEN_READ ? std::strcmp(name, input_name) == 0
                                                  : std::strcmp(name, output_name) == 0;
  if (!known) return nullptr;  // another cabinet of the set
  auto file = std::unique_ptr<File>(new (std::nothrow) File);
  if (file != nullptr) file->system = &system_of(self);
  return file.release();
}

void close_file(mspack_file* file) { const std::unique_ptr<File> owner(&file_of(file)); }

int read_file(mspack_file* handle, void* buffer, int bytes) {
  auto& file = file_of(handle);
  if (bytes < 0 || file.system->request->stop_requested()) return -1;
  const auto rest = file.system->payload.subspan(file.position);
  const auto part = rest.first(std::min(rest.size(), static_cast<std::size_t>(bytes)));
  std::copy(part.begin(), part.end(), static_cast<std::byte*>(buffer));
  file.position += part.size();
  return static_cast<int>(part.size());
}

int write_file(mspack_file* handle, void* buffer, int bytes) {
  auto& system = *file_of(handle).system;
  if (bytes < 0 || system.out == nullptr || system.request->stop_requested()) return -1;
  try {
    system.out->append({static_cast<const std::byte*>(buffer), static_cast<std::size_t>(bytes)});
  } catch (const stoq::LimitReached&) {
    system.failure = std::current_exception();
  } catch (const std::exception&) {
    system.failure = std::current_exception();
  }
  return system.failure == nullptr ? bytes : -1;
}

int seek_file(mspack_file* handle, off_t offset, int mode) {
  auto& file = file_of(handle);
  const auto size = static_cast<off_t>(file.system->payload.size());
  off_t from = 0;
  if (mode == MSPACK_SYS_SEEK_CUR) from = static_cast<off_t>(file.position);
  if (mode == MSPACK_SYS_SEEK_END) from = size;
  if (offset < -from || offset > size - from) return -1;
  file.position = static_cast<std::size_t>(from + offset);
  return 0;
}

off_t tell_file(mspack_file* handle) { return static_cast<off_t>(file_of(handle).position); }
void ignore_message(mspack_file*, const char*, ...) {}
void* allocate(mspack_system*, std::size_t bytes) { return std::malloc(bytes); }
void release(void* memory) { std::free(memory); }
void copy_bytes(void* from, void* to, std::size_t bytes) { std::memcpy(to, from, bytes); }

std::string_view reason(int error) noexcept {
  switch (error) {
    case MSPACK_ERR_OPEN:
      return "it continues in another cabinet of the set";
    case MSPACK_ERR_READ:
      return "the data runs past the end";
    case MSPACK_ERR_SEEK:
      return "an offset runs past the end";
    case MSPACK_ERR_NOMEMORY:
      return "no memory";
    case MSPACK_ERR_SIGNATURE:
      return "no cabinet header";
    case MSPACK_ERR_DATAFORMAT:
      return "a header is broken";
    case MSPACK_ERR_CHECKSUM:
      return "the checksum is wrong";
    case MSPACK_ERR_DECRUNCH:
      return "the compressed data is broken";
    default:
      return "it cannot be read";
  }
}

struct Destroy {
  void operator()(mscab_decompressor* cab) const noexcept { mspack_destroy_cab_decompressor(cab); }
};

/// Closes what open() or search() gave.
class Cabinet {
 public:
  Cabinet(mscab_decompressor* decompressor, mscabd_cabinet* first) noexcept
      : decompressor_(decompressor), first_(first) {}
  Cabinet(const Cabinet&) = delete;
  Cabinet& operator=(const Cabinet&) = delete;
  ~Cabinet() {
    if (first_ != nullptr) decompressor_->close(decompressor_, first_);
  }
  [[nodiscard]] mscabd_cabinet* get() const noexcept { return first_; }

 private:
  mscab_decompressor* decompressor_;
  mscabd_cabinet* first_;
};

[[noreturn]] void fail(int error, const mscabd_file& file) {
  constexpr int quantum = 2;
  constexpr int most_known = 3;
  const auto type = file.folder != nullptr ? MSCABD_COMP_METHOD(file.folder->comp_type) : 0;
  if (file.folder == nullptr || error == MSPACK_ERR_OPEN) {
    throw stoq::Unsupported("cab: the member " + std::string(reason(MSPACK_ERR_OPEN)));
  }
  if (type > most_known) {
    throw stoq::Unsupported("cab: no decoder for compression type " + std::to_string(type));
  }
  throw stoq::MalformedInput("cab: " + std::string(reason(error)) +
                             (type == quantum ? " (Quantum)" : ""));
}

void extract_member(mscab_decompressor* cab, System& system, mscabd_file& file,
                    stoq::Children& children) {
  stoq::ChildInfo info;
  info.name = file.filename;
  if (file.length == 0) {
    children.emit({}, std::move(info));
    return;
  }
  children.produce(std::move(info), file.length, [&](stoq::Buffer& out) {
    system.out = &out;
    system.failure = nullptr;
    const int error = cab->extract(cab, &file, output_name);
    system.out = nullptr;
    if (system.failure != nullptr) std::rethrow_exception(system.failure);
    if (system.request->stop_requested()) {
      throw stoq::MalformedInput("cab: stopped before the member's end");
    }
    if (error != MSPACK_ERR_OK) fail(error, file);
  });
}

}  // namespace

void extract_cab(const stoq::Payload& payload, const stoq::Request& request,
                 stoq::Children& children) {
  System system;
  system.open = open_file;
  system.close = close_file;
  system.read = read_file;
  system.write = write_file;
  system.seek = seek_file;
  system.tell = tell_file;
  system.message = ignore_message;
  system.alloc = allocate;
  system.free = release;
  system.copy = copy_bytes;
  system.null_ptr = nullptr;
  system.payload = payload.view();
  system.request = &request;

  const std::unique_ptr<mscab_decompressor, Destroy> cab(mspack_create_cab_decompressor(&system));
  if (cab == nullptr) throw std::bad_alloc();
  auto* first = cab->open(cab.get(), input_name);
  const int error = cab->last_error(cab.get());
  // Behind a self-extractor, or behind something that only looks like a header.
  if (first == nullptr) first = cab->search(cab.get(), input_name);
  const Cabinet cabinet(cab.get(), first);
  if (first == nullptr) throw stoq::MalformedInput("cab: " + std::string(reason(error)));
  for (auto* each = cabinet.get(); each != nullptr; each = each->next) {
    for (auto* file = each->files; file != nullptr; file = file->next) {
      if (request.stop_requested()) return;
      extract_member(cab.get(), system, *file, children);
    }
  }
}

}  // namespace archive_plugin
