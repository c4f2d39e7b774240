/// BCJ2: x86 code whose call and jump targets are stored apart, 7-Zip's default for programs.
#pragma once

#include <array>
#include <memory>

#include "sevenzip_coders.hpp"

namespace archive_plugin::sevenzip {

/// `inputs`: the code, targets of calls, targets of jumps, and which of them are stored apart.
[[nodiscard]] std::unique_ptr<Stream> make_bcj2(std::array<std::unique_ptr<Stream>, 4> inputs);

}  // namespace archive_plugin::sevenzip
