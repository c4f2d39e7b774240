#include "source_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>

#include <stoq/error.hpp>

#include "archive_folder.hpp"
#include "descriptor.hpp"

namespace file_connector {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& path) {
  throw stoq::IoError("'" + path + "' lies outside the folders of source_base_tuple");
}

}  // namespace

SourceFiles::SourceFiles(const std::vector<std::string>& bases) {
  for (const auto& base : bases) {
    std::error_code failure;
    auto real = fs::canonical(base, failure).string();
    if (failure) {
      throw stoq::ConfigError("file: source_base_tuple names '" + base +
                              "', which cannot be used: " + failure.message());
    }
    if (!real.ends_with('/')) real += '/';
    bases_.push_back(std::move(real));
  }
}

bool SourceFiles::may_read(const std::string& real_path) const {
  return std::any_of(bases_.begin(), bases_.end(),
                     [&](const std::string& base) { return real_path.starts_with(base); });
}

void SourceFiles::get(const std::string& path, stoq::Buffer& out) const {
  if (bases_.empty()) {
    throw stoq::IoError(
        "no file may be fetched by path; name the folders that hold them in "
        "source_base_tuple");
  }
  std::error_code failure;
  const auto real = fs::canonical(path, failure).string();
  // Whether a file outside exists is nobody's business.
  if (failure || !may_read(real)) refuse(path);
  const Descriptor file(::open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0) {
    throw stoq::IoError("cannot open '" + path + "': " + std::strerror(errno));
  }
  // A folder on the way may have become a link since: what was opened tells where it lies.
  const auto opened = fs::read_symlink("/proc/self/fd/" + std::to_string(file.get()), failure);
  if (failure || !may_read(opened.string())) refuse(path);
  read_into(file.get(), path, out);
}

}  // namespace file_connector
