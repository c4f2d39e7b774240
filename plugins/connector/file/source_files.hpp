/// Files that may be fetched by path: those below the folders that the user names.
#pragma once

#include <string>
#include <vector>

#include <stoq/buffer.hpp>

namespace file_connector {

/// Thread-safe.
class SourceFiles {
 public:
  /// `bases`: folders, links in them resolved now. Throws ConfigError when one is not there.
  explicit SourceFiles(const std::vector<std::string>& bases);

  /// Appends a file that, links resolved, lies below one of the folders. Throws IoError.
  void get(const std::string& path, stoq::Buffer& out) const;

 private:
  [[nodiscard]] bool may_read(const std::string& real_path) const;

  std::vector<std::string> bases_;  ///< each with a '/' at its end
};

}  // namespace file_connector
