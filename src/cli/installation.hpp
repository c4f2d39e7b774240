/// Where this program is installed, or was built: both have the same shape.
#pragma once

#include <filesystem>

namespace stoq::cli {

/// The folder that holds bin/, lib/ and share/.
[[nodiscard]] std::filesystem::path installation();
/// What `stoq new` begins a plugin with. Throws IoError when it is not there.
[[nodiscard]] std::filesystem::path skeleton_folder();
/// That of stoqConfig.cmake. Throws IoError when it is not there.
[[nodiscard]] std::filesystem::path cmake_folder();

}  // namespace stoq::cli
