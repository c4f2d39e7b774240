/// Brings a file back from a connector, outside any scan.
#pragma once

#include <string>

#include <stoq/bytes.hpp>
#include <stoq/function_ref.hpp>
#include <stoq/plugin.hpp>

#include "engine/config.hpp"

namespace stoq::engine {

/// Hands the file's bytes to `take`, for the call. What is fetched by hash has that hash. Throws
/// ConfigError when there is no such connector or it lacks an option, IoError when the file cannot
/// be had or is not what its hash says.
void fetch(const Config& config, const std::string& connector, const FileQuery& query,
           FunctionRef<void(ByteView)> take);

}  // namespace stoq::engine
