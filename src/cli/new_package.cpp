#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoq/error.hpp>

#include "cli/commands.hpp"
#include "cli/installation.hpp"
#include "cli/temp_folder.hpp"
#include "engine/plugin_file.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

/// What stands in skeletons → what stands for it in a package.
using Names = std::map<std::string_view, std::string>;

void check_category(const std::string& word) {
  if (engine::parse_category(word)) return;
  std::vector<std::string> known;
  for (const auto category : engine::categories) known.emplace_back(to_string(category));
  const auto near = support::nearest(word, known);
  throw UsageError("'" + word + "' is no category; " +
                   (near.empty() ? "it is one of worker, connector, reader, source, extractor, "
                                   "carver, decoder"
                                 : "did you mean '" + near + "'?"));
}

void check_name(const std::string& name) {
  const bool begins = !name.empty() && name.front() >= 'a' && name.front() <= 'z';
  if (begins && name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == name.npos)
    return;
  throw UsageError("'" + name +
                   "' is no name for a new plugin; use lower-case letters, digits and underscores, "
                   "such as my_format");
}

/// my_format → MyFormat.
std::string class_name(std::string_view name) {
  std::string text;
  bool capital = true;
  for (const char c : name) {
    const bool letter = c >= 'a' && c <= 'z';
    if (c != '_') text += capital && letter ? static_cast<char>(c - 'a' + 'A') : c;
    capital = c == '_';
  }
  return text;
}

/// The name of whoever calls this, as far as the system knows it.
std::string author() {
  const auto* const entry = ::getpwuid(::getuid());
  if (entry == nullptr) return "stoq";
  std::string_view full = entry->pw_gecos != nullptr ? entry->pw_gecos : "";
  full = full.substr(0, full.find(','));
  std::string name;
  // '%' has a meaning in .stoq files.
  for (const char c : full.empty() ? std::string_view(entry->pw_name) : full) {
    if (static_cast<unsigned char>(c) >= ' ' && c != '%') name += c;
  }
  return name;
}

/// "0.1.0" → "0.1": what find_package() asks for.
std::string short_version() {
  const std::string version = STOQ_VERSION;
  return version.substr(0, version.find('.', version.find('.') + 1));
}

std::string read(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream || !text) {
    throw IoError("cannot read '" + file.string() + "': " + std::strerror(errno));
  }
  return text.str();
}

/// Writes a skeleton with the names in it.
void fill(const fs::path& skeleton, const Names& names, const fs::path& file) {
  auto text = read(skeleton);
  for (const auto& [word, name] : names) {
    for (auto at = text.find(word); at != text.npos; at = text.find(word, at + name.size())) {
      text.replace(at, word.size(), name);
    }
  }
  fs::create_directories(file.parent_path());
  std::ofstream stream(file, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) throw IoError("cannot write '" + file.string() + "': " + std::strerror(errno));
}

/// Returns the files, as seen from the folder.
std::vector<fs::path> write_package(const std::string& category, const Names& names,
                                    const fs::path& folder) {
  const auto skeletons = skeleton_folder();
  const auto own = skeletons / category;
  const auto& name = names.at("template_name");
  std::vector<std::pair<fs::path, fs::path>> files{
      {skeletons / "package.cmake", "CMakeLists.txt"},
      {own / "plugin.cpp", fs::path(name) / (name + ".cpp")},
      {own / "plugin.stoq", fs::path(name) / (name + ".stoq")},
      {own / "plugin_test.cpp", fs::path("tests") / (name + "_test.cpp")}};
  const auto rules = own / "plugin.yar";
  if (fs::exists(rules)) files.emplace_back(rules, name + ".yar");
  std::vector<fs::path> written;
  for (const auto& [skeleton, file] : files) {
    fill(skeleton, names, folder / file);
    written.push_back(file);
  }
  return written;
}

/// How the plugin is used, once it is installed.
std::string example(Category category, const std::string& name, const std::string& folder) {
  switch (category) {
    case Category::worker:
      return "stoq scan -w " + name + " FILE";
    case Category::connector:
      return "stoq scan -C " + name + " FILE";
    case Category::source:
      return "stoq scan -I " + name + " FILE";
    case Category::reader:
      return "stoq info reader:" + name + "          (workers use it)";
    default:
      return "stoq scan --dispatch-rules " + folder + "/" + name + ".yar FILE";
  }
}

}  // namespace

int new_package(const Arguments& arguments) {
  const auto& name = arguments.plugin;
  check_category(arguments.category);
  check_name(name);
  const auto parent = fs::path(arguments.output.empty() ? "." : arguments.output);
  if (!fs::is_directory(parent))
    throw UsageError("--into: there is no folder '" + parent.string() + "'");
  const auto folder = (parent / (name + "-plugin")).lexically_normal();
  if (fs::exists(fs::symlink_status(folder))) {
    throw UsageError("'" + folder.string() + "' exists and is left as it is");
  }
  const Names names{{"TemplateClass", class_name(name)},
                    {"template_name", name},
                    {"template_category", arguments.category},
                    {"template_author", author()},
                    {"template_version", short_version()}};
  // Whole or not at all.
  const TempFolder scratch(parent, ".stoq-new-");
  const auto files = write_package(arguments.category, names, scratch.path() / "package");
  std::error_code failure;
  fs::rename(scratch.path() / "package", folder, failure);
  if (failure) throw IoError("cannot make '" + folder.string() + "': " + failure.message());

  std::cout << "Written:\n";
  for (const auto& file : files) std::cout << "  " << (folder / file).string() << '\n';
  std::cout << "Now:\n  stoq install " << folder.string() << "\n  "
            << example(*engine::parse_category(arguments.category), name, folder.string()) << '\n';
  return 0;
}

}  // namespace stoq::cli
