/// Brings a file back from a connector, outside any scan; and what has to be checked inside one.
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

/// What is wrong with a query that did not come from us; empty when nothing is.
[[nodiscard]] std::string query_problem(const FileQuery& query);
/// Throws IoError when the bytes are not what the query's hash says. `connector`: who brought them.
void check_hash(const FileQuery& query, ByteView bytes, const std::string& connector);

}  // namespace stoq::engine
