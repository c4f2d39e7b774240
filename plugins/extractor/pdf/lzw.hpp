#pragma once

#include <memory>

#include <stoq/plugin.hpp>

#include "filters.hpp"

namespace pdf {

/// LZWDecode (7.4.4): codes of 9 to 12 bits, the highest bit first. With `early_change` they grow
/// one code early.
std::unique_ptr<Stage> make_lzw(bool early_change, Stage& next, const stoq::Request& request);

}  // namespace pdf
