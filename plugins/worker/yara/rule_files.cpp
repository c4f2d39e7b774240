#include "rule_files.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <yara.h>

#include <stoq/bytes.hpp>
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

/// Whether the parts that a file of compiled rules lists are in it: libyara believes the list, and
/// aborts when one is missing. What another version wrote is left to libyara, which refuses it.
bool is_whole(std::string_view file) {
  try {
    stoq::Cursor header(stoq::as_bytes(file));
    header.take(4);
    if (header.le<std::uint8_t>() != YR_ARENA_FILE_VERSION) return true;
    if (header.le<std::uint8_t>() != YR_NUM_SECTIONS) return false;
    for (int section = 0; section < YR_NUM_SECTIONS; ++section) {
      const auto offset = header.le<std::uint64_t>();
      if (!stoq::fits(stoq::as_bytes(file), offset, header.le<std::uint32_t>())) return false;
    }
    return true;
  } catch (const stoq::MalformedInput&) {
    return false;
  }
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
    std::error_code unresolved;
    if (!seen_.insert(fs::weakly_canonical(path, unresolved).native()).second) return;
    auto text = read(path);
    if (!text) {
      errors_ += "\n  " + path.string() + ": cannot be read";
      return;
    }
    if (!spaces_.insert(space).second) {
      // Two of the same name: the later one by its whole path, so that equal rules do not collide.
      space = path.generic_string();
      spaces_.insert(space);
    }
    const bool compiled = text->starts_with("YARA");
    if (compiled && !is_whole(*text)) {
      errors_ += "\n  " + path.string() +
                 ": compiled rules, but cut or damaged; compile them anew with yarac";
    }
    if (compiled) text->clear();
    files_.push_back({path, std::move(space), compiled, *std::move(text)});
  }

  std::vector<RuleFile> files_;
  std::set<std::string> spaces_, seen_;
  std::string errors_;
};

}  // namespace

std::vector<RuleFile> find_rule_files(const std::vector<std::string>& given) {
  Finder finder;
  for (const auto& item : given) finder.add(item);
  return finder.take();
}
