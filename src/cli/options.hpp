/// Every command and option with its help, as CLI11 objects.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/arguments.hpp"

namespace CLI {
class App;
}

namespace stoq::cli {

/// What several options decide together, until all are known.
struct Given {
  Arguments arguments;
  std::vector<std::string> metadata;
  std::vector<std::string> hashes;
  std::vector<std::string> plugin_options, rules;
  std::string output, format = "jsonl", config_file;
  std::string worker;          ///< whose command it is; empty: none's
  std::string outfile, queue;  ///< of a worker's command
  bool dispatch = false, error_queue = false;
  std::map<std::string, std::string> places;  ///< long option → where stoq.cfg sets it
  bool run_json_set = false, quiet = false, summary = false, unordered = false;
};

/// Gives `app` its commands and options; what they are given goes to `given`, which must outlive
/// it.
void set_up_options(CLI::App& app, Given& given);

}  // namespace stoq::cli
