/// The cases of a plugin's truth.jsonl: what it must do with which input. Each line is an object:
///
///   name            of the case
///   input           a file of input/ (for sources: a path below it)
///   payload_name    the payload's name, when it is not the input's; also type, depth
///   args, options   the request's arguments; the .stoq options ("${input}": the input folder)
///   max_child_bytes the limit on one child
///   needs           category/name of a plugin: skipped where that was left out of the build
///   throws          corrupt, encrypted, unsupported, io_error, limit; config: activate() refuses
///   children        in order, all of them; each may say name or name_hex, size, sha256, status,
///                   offset, encrypted, keep_prefix, meta (a subset), message (a part)
///   declared, dropped, result (a subset)
///
/// What is not said is not compared, but an unknown word is an error.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "plugins/loaded_plugin.hpp"

namespace stoq::testing {

using Json = nlohmann::json;

struct TruthCase {
  PluginPlace place;
  std::size_t line = 0;
  Json truth;         ///< null when the line does not parse
  std::string error;  ///< what is wrong with the line itself; empty: nothing
};

/// For GoogleTest's messages.
void PrintTo(const PluginPlace& place, std::ostream* out);
void PrintTo(const TruthCase& test, std::ostream* out);

/// The cases of one plugin; none when it has no truth.jsonl.
[[nodiscard]] std::vector<TruthCase> read_truth(const PluginPlace& place);

/// What running a plugin once gave.
struct Outcome {
  std::vector<Child> children;
  std::uint64_t declared = 0, dropped = 0;
  Value result;
  std::string thrown;   ///< as `throws` spells it; empty: nothing
  std::string message;  ///< of what was thrown
};

[[nodiscard]] Options::Map case_options(const TruthCase& test);
/// Whether a plugin that it needs was left out of the build.
[[nodiscard]] bool is_left_out(const TruthCase& test);
/// Runs the case's input through the plugin.
[[nodiscard]] Outcome run_case(const LoadedPlugin& plugin, const TruthCase& test);
/// Runs bytes as a payload; the request and the payload's name are those of the case. Lets what is
/// no stoq::Error and no LimitReached pass.
[[nodiscard]] Outcome run_bytes(const LoadedPlugin& plugin, const TruthCase& test,
                                std::string_view bytes, Collector& collector);
/// Everything that differs from the truth, one line each.
[[nodiscard]] std::vector<std::string> differences(const Outcome& outcome, const Json& truth);

[[nodiscard]] std::string read_file(const std::filesystem::path& file);

}  // namespace stoq::testing
