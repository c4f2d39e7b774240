#include "cli/installation.hpp"

#include <system_error>

#include <stoq/error.hpp>

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

fs::path existing(const fs::path& folder, const char* what) {
  if (fs::is_directory(folder)) return folder;
  throw IoError(folder.string() + " is missing: this stoq was copied or installed without " + what +
                "; install all of it ('cmake --install')");
}

}  // namespace

fs::path installation() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
}

fs::path skeleton_folder() {
  return existing(installation() / "share/stoq/skeletons", "the skeletons of plugins");
}

fs::path cmake_folder() {
  return existing(installation() / STOQ_LIBDIR / "cmake/stoq", "the headers for plugins");
}

}  // namespace stoq::cli
