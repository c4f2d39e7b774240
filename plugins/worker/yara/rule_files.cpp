#include "rule_files.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <fstream>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include <stoq/error.hpp>

namespace fs = std::filesystem;

namespace {

std::optional<std::string> read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  std::array<char, 16384> block;
  while (stream.read(block.data(), block.size()), stream.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.eof()) return std::nullopt;
  return text;
}

class Finder {
 public:
  void add(const std::string& given) {
    std::error_code failure;
    const auto status = fs::status(given, failure);
    if (fs::is_directory(status)) {
      add_folder(given);
    } else if (fs::is_regular_file(status)) {
      add_file(given, fs::path(given).stem().string());
    } else {
      errors_ +=
          "\n  " + given +
          (fs::exists(status) ? ": neither a file nor a folder" : ": no such file or folder");
    }
  }
  std::vector<RuleFile> take() {
    if (!errors_.empty()) throw stoq::ConfigError("yara: rules cannot be read:" + errors_);
    return std::move(files_);
  }

 private:
  void add_folder(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code failure;
    fs::recursive_directory_iterator entry(folder, failure);
    for (; !failure && entry != fs::recursive_directory_iterator{}; entry.increment(failure)) {
      const auto extension = entry->path().extension();
      std::error_code unknown;
      if ((extension == ".yar" || extension == ".yara") && entry->is_regular_file(unknown)) {
        found.push_back(entry->path());
      }
    }
    if (failure) errors_ += "\n  " + folder.string() + ": " + failure.message();
    if (!failure && found.empty()) {
      errors_ += "\n  " + folder.string() + ": no *.yar and no *.yara in this folder";
    }
    std::sort(found.begin(), found.end(),
              [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
    for (const auto& path : found) {
      add_file(path, path.lexically_relative(folder).replace_extension().generic_string());
    }
  }

  void add_file(const fs::path& path, std::string space) {
    auto text = read(path);
    if (!text) {
      errors_ += "\n  " + path.string() + ": cannot be read";
      return;
    }
    if (!spaces_.insert(space).second) {
      // Two of the same name: the later one by its whole path, so that equal rules do not collide.
      space = path.generic_string();
      if (!spaces_.insert(space).second) return;  // the same file again
    }
    const bool compiled = text->starts_with("YARA");
    if (compiled) text->clear();
    files_.push_back({path, std::move(space), compiled, *std::move(text)});
  }

  std::vector<RuleFile> files_;
  std::set<std::string> spaces_;
  std::string errors_;
};

}  // namespace

std::vector<RuleFile> find_rule_files(const std::vector<std::string>& given) {
  Finder finder;
  for (const auto& item : given) finder.add(item);
  return finder.take();
}
