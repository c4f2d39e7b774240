#include "cli/plugin_place.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include <stoq/error.hpp>

#include "cli/temp_folder.hpp"
#include "engine/plugin_file.hpp"

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void cannot_write(const fs::path& folder, const std::string& reason) {
  throw IoError("plugins cannot be installed into '" + folder.string() + "': " + reason +
                "; name a folder that you may write to with --plugin-dir");
}

/// Finds out before anything is built.
void check_writable(const fs::path& folder) {
  auto there = folder;
  std::error_code failure;
  while (!fs::exists(there, failure) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, failure)) cannot_write(folder, there.string() + " is no folder");
  if (::access(there.c_str(), W_OK | X_OK) != 0) cannot_write(folder, std::strerror(errno));
}

/// renameat2() with a flag; false with errno.
bool renamed(const fs::path& from, const fs::path& to, unsigned flag) {
  return ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flag) == 0;
}

void move_aside(const fs::path& from, const fs::path& to, const fs::path& old) {
  fs::rename(to, old);
  fs::rename(from, to);
}

}  // namespace

PluginPlace::PluginPlace(const std::vector<std::string>& plugin_dirs)
    : folder_(fs::absolute(engine::search_folders(plugin_dirs).front()).lexically_normal()) {
  check_writable(folder_);
}

fs::path PluginPlace::target(Category category, const std::string& name) const {
  return folder_ / to_string(category) / name;
}

void PluginPlace::check_free(Category category, const std::string& name, bool upgrade) const {
  const auto place = target(category, name);
  std::error_code ignored;
  if (!upgrade && fs::exists(fs::symlink_status(place, ignored))) {
    throw ConfigError(place.string() +
                      " exists and is left as it is, nothing is installed; remove or "
                      "rename it, or replace it with --upgrade");
  }
  // Two plugins of one name in one folder: neither could be used.
  for (const auto& other : engine::find_plugins({folder_.string()})) {
    if (other.category != category || other.name != name || other.folder == place ||
        other.folder.parent_path() != place.parent_path()) {
      continue;
    }
    throw ConfigError(other.file.string() + " is another " + other.qualified() +
                      ", nothing is installed; remove or rename it");
  }
}

void PluginPlace::put(const fs::path& staged, Category category, const std::string& name,
                      bool upgrade) const {
  const auto place = target(category, name);
  std::error_code failure;
  fs::create_directories(place.parent_path(), failure);
  if (failure) cannot_write(folder_, failure.message());
  // On the same file system, and no folder that is searched.
  const TempFolder scratch(folder_, ".stoq-install-");
  const auto whole = scratch.path() / name;
  fs::copy(staged, whole, fs::copy_options::recursive | fs::copy_options::copy_symlinks, failure);
  if (failure) cannot_write(folder_, failure.message());
  if (renamed(whole, place, RENAME_NOREPLACE)) return;
  if (errno == EEXIST && !upgrade) check_free(category, name, upgrade);
  if (errno == EEXIST && renamed(whole, place, RENAME_EXCHANGE)) return;
  // A file system that knows neither.
  try {
    if (fs::exists(place)) {
      check_free(category, name, upgrade);
      move_aside(whole, place, scratch.path() / "old");
    } else {
      fs::rename(whole, place);
    }
  } catch (const fs::filesystem_error& error) {
    cannot_write(folder_, error.code().message());
  }
}

bool PluginPlace::searched() const {
  const auto folders = engine::search_folders({});
  return std::any_of(folders.begin(), folders.end(), [this](const fs::path& folder) {
    std::error_code ignored;
    return fs::equivalent(folder, folder_, ignored);
  });
}

}  // namespace stoq::cli
