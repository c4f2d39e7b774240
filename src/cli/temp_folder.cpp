#include "cli/temp_folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <stoq/error.hpp>

namespace stoq::cli {

TempFolder::TempFolder(const std::filesystem::path& parent, const std::string& prefix) {
  auto name = (parent / (prefix + "XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw IoError("cannot make a folder in '" + parent.string() + "': " + std::strerror(errno));
  }
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace stoq::cli
