/// The command line, as values.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/config.hpp"

namespace stoq::cli {

enum class Command : std::uint8_t {
  scan,
  bench,
  graph,
  list,
  info,
  get,
  new_package,
  install,
  schema
};

struct Arguments {
  Command command = Command::scan;
  engine::Config config;
  std::vector<std::string> warnings;  ///< what to tell the user before anything is done
  double cron = 0;                    ///< seconds after which to scan again; 0: never
  std::string plugin;                 ///< of `info` and `new`, and the connector of `get`
  std::string category;               ///< of `new`
  std::string file;                   ///< of `get`: a hash or a path; of `install`: the package
  std::string output;    ///< of `get`: where the bytes go; empty or "-": standard output; of `new`:
                         ///< the folder to write into; empty: this one
  bool upgrade = false;  ///< of `install`: a plugin that is there is replaced
  bool with_requirements = false;  ///< of `install`: packages it needs may be installed
  bool duckdb = false;             ///< of `schema`
  bool progress = true;            ///< a line on the terminal while it runs
  bool summary = true;             ///< a page at the end
  unsigned repeat = 3;             ///< of `bench`: measured runs
  unsigned warm_up = 1;            ///< of `bench`: runs before them
  std::string json;  ///< of `bench`: where figures go, "-": standard output; empty: nowhere
};

/// The command line cannot be followed; says what to do instead.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads the command line and the configuration file it names. Nothing when all that was asked for
/// was help or the version, which are then written to standard output. Throws UsageError, and
/// ConfigError or IoError for the configuration file.
[[nodiscard]] std::optional<Arguments> parse_arguments(int argc, const char* const* argv);

}  // namespace stoq::cli
