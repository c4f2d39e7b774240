/// A folder for the time being.
#pragma once

#include <filesystem>
#include <string>

namespace stoq::cli {

/// A new folder that only this user may enter; gone, with all that is in it, at the end.
class TempFolder {
 public:
  /// Made in `parent`, which must be there. Throws IoError.
  TempFolder(const std::filesystem::path& parent, const std::string& prefix);
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace stoq::cli
