#include "bundle_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <stoq/error.hpp>

namespace stix {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> below(const fs::path& folder) {
  std::vector<std::string> files;
  std::error_code failure;
  for (fs::recursive_directory_iterator at(folder, failure), end; at != end && !failure;
       at.increment(failure)) {
    const auto kind = at->path().extension();
    if (kind != ".json" && kind != ".xml" && kind != ".stix") continue;
    if (at->is_regular_file(failure)) files.push_back(at->path().string());
  }
  if (failure) {
    throw stoq::ConfigError(folder.string() + " cannot be listed: " + failure.message());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::vector<std::string> bundle_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const auto& path : paths) {
    std::error_code failure;
    if (!fs::is_directory(path, failure)) {
      files.push_back(path);
      continue;
    }
    const auto more = below(path);
    if (more.empty()) throw stoq::ConfigError(path + " holds no .json, .xml or .stix file");
    files.insert(files.end(), more.begin(), more.end());
  }
  return files;
}

std::string read_file(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) {
    throw stoq::ConfigError(file + " cannot be read, or is empty: " + std::strerror(errno));
  }
  return std::move(text).str();
}

}  // namespace stix
