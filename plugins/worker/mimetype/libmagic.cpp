#include "libmagic.hpp"

#include <array>
#include <vector>

#include <stoq/error.hpp>

namespace {

/// libmagic's own bounds (5.44's defaults): how deep a rule may refer to others, and how far a
/// regular expression reaches. ELF's are no matter: with a buffer libmagic reads no ELF headers.
constexpr std::size_t most_indirections = 50;
constexpr std::size_t most_names = 50;
constexpr std::size_t regex_window = 8192;

}  // namespace

Libmagic::Libmagic(std::size_t window) : handle_(::magic_open(MAGIC_MIME_TYPE)) {
  if (!handle_) throw stoq::ConfigError("mimetype: libmagic cannot be opened: out of memory");
  set(MAGIC_PARAM_INDIR_MAX, most_indirections);
  set(MAGIC_PARAM_NAME_MAX, most_names);
  set(MAGIC_PARAM_REGEX_MAX, regex_window);
  set(MAGIC_PARAM_ENCODING_MAX, encoding_window);
  set(MAGIC_PARAM_BYTES_MAX, window);
}

void Libmagic::load(const std::string& database) {
  if (::magic_load(handle_.get(), database.empty() ? nullptr : database.c_str()) == 0) return;
  throw stoq::ConfigError("mimetype: no magic database" +
                          (database.empty() ? std::string{} : " in " + database) + ": " + error() +
                          " (Debian's package libmagic-mgc has one)");
}

bool Libmagic::load(std::initializer_list<std::span<const std::byte>> databases) {
  std::vector<void*> starts;
  std::vector<std::size_t> sizes;
  for (const auto& database : databases) {
    starts.push_back(const_cast<std::byte*>(database.data()));  // libmagic writes to none
    sizes.push_back(database.size());
  }
  return ::magic_load_buffers(handle_.get(), starts.data(), sizes.data(), starts.size()) == 0;
}

const char* Libmagic::type(stoq::ByteView bytes, int omitted) const {
  ::magic_setflags(handle_.get(), MAGIC_MIME_TYPE | omitted);
  return ::magic_buffer(handle_.get(), bytes.data(), bytes.size());
}

std::string Libmagic::error() const {
  const char* reason = ::magic_error(handle_.get());
  return reason != nullptr ? reason : "unknown reason";
}
