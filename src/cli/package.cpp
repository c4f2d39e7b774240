#include "cli/package.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>

#include <stoq/error.hpp>

#include "support/ini.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& where, const std::string& why) {
  throw ConfigError(support::one_line(where.string() + ": " + why));
}

std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) found.push_back(entry.path());
  if (failure) refuse(folder, "cannot be read: " + failure.message());
  std::sort(found.begin(), found.end());
  return found;
}

/// The .stoq files one folder below.
std::vector<fs::path> plugin_files(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& below : entries(folder)) {
    if (!fs::is_directory(below)) continue;
    for (const auto& file : entries(below)) {
      if (file.extension() == ".stoq") found.push_back(file);
    }
  }
  return found;
}

void check_source(const fs::path& file, const std::string& name, const std::string& module) {
  const auto folder = file.parent_path();
  if (folder.filename() != name || file.stem() != name) {
    refuse(file, "its plugin is called '" + name + "'; the file must be " + name + "/" + name +
                     ".stoq in the package");
  }
  if (!fs::is_regular_file(folder / (module + ".cpp"))) {
    refuse(folder, "has no " + module +
                       ".cpp, which Module names: a package is built from source, and there is "
                       "nothing to build");
  }
}

bool is_debian_name(const std::string& text) {
  constexpr std::string_view first = "abcdefghijklmnopqrstuvwxyz0123456789";
  // apt-get takes 'name-' for a package to remove.
  return text.size() > 1 && first.find(text.front()) != first.npos && text.back() != '-' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") == text.npos;
}

}  // namespace

Package find_package(const fs::path& given) {
  auto folder = given;
  // An archive of a package holds its folder, as a rule.
  if (const auto all = entries(folder);
      all.size() == 1 && fs::is_regular_file(all.front() / "CMakeLists.txt")) {
    folder = all.front();
  }
  const auto files = plugin_files(folder);
  if (files.empty()) {
    refuse(given,
           "no plugin in it: a package has a folder NAME with NAME.stoq; "
           "'stoq new' writes one");
  }
  if (files.size() > 1) {
    refuse(given, "more than one plugin in it (" + files[0].filename().string() + ", " +
                      files[1].filename().string() + "); a package holds one");
  }
  const auto ini = support::Ini::read(files.front());
  const auto name = ini.get("Core", "name");
  if (name.empty()) refuse(files.front(), "[Core] lacks 'Name'; add the line 'Name = …'");
  const auto module = ini.get("Core", "module");
  check_source(files.front(), name, module.empty() ? name : module);
  if (!fs::is_regular_file(folder / "CMakeLists.txt")) {
    refuse(folder, "has no CMakeLists.txt, by which a plugin is built; 'stoq new' writes one");
  }
  return {folder, name};
}

std::vector<std::string> read_requirements(const Package& package) {
  const auto path = package.folder / "requirements.txt";
  if (!fs::exists(path)) return {};
  std::ifstream file(path);
  if (!file) refuse(path, "cannot be read");
  std::vector<std::string> names;
  std::size_t number = 0;
  for (std::string line; std::getline(file, line);) {
    ++number;
    line.erase(std::min(line.find('#'), line.size()));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    line.erase(0, line.find_first_not_of(" \t"));
    if (line.empty()) continue;
    if (!is_debian_name(line)) {
      refuse(path.string() + ":" + std::to_string(number),
             "'" + line + "' is no name of a Debian package; write one a line, such as zlib1g-dev");
    }
    names.push_back(line);
  }
  return names;
}

}  // namespace stoq::cli
