/// Globs as .gitignore files have them. Values, no I/O, thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stoq::common {

/// Whether `glob` describes all of `text`: `*` any run without '/', `**` between slashes any
/// folders, `?` one byte but '/', `[a-z]` and `[!a-z]` a set, `\` takes the next byte as it is.
[[nodiscard]] bool matches(std::string_view glob, std::string_view text);

/// What the user asked to see and to leave out.
class Filter {
 public:
  Filter(const std::vector<std::string>& include, const std::vector<std::string>& exclude);

  /// Why the file at `path` (below the folder given, '/' between names) is left out; empty when it
  /// is not.
  [[nodiscard]] std::string refuse_file(std::string_view path) const;
  /// The same for a folder with all in it: only excluding globs count.
  [[nodiscard]] std::string refuse_folder(std::string_view path) const;

 private:
  struct Glob {
    std::string given;    ///< as the user wrote it
    std::string pattern;  ///< without leading and trailing slash
    bool whole_path = false;
    bool folders_only = false;
  };
  static std::vector<Glob> prepare(const std::vector<std::string>& globs);
  static bool hits(const Glob& glob, std::string_view path);

  std::vector<Glob> include_, exclude_;
};

}  // namespace stoq::common
