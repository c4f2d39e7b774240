/// What a run is told: filled by the command line, read by the engine. Values, no behaviour.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

namespace stoq::engine {

/// What hostile input may cost. Every limit is an option of the same name.
struct Limits {
  std::uint64_t max_depth = 16;          ///< layers below a root
  std::uint64_t max_children = 100'000;  ///< of one payload
  std::uint64_t max_child_bytes = std::uint64_t{256} << 20;
  std::uint64_t max_ratio = 1000;                           ///< output of a payload : its size …
  std::uint64_t max_ratio_floor = std::uint64_t{16} << 20;  ///< … once the output is larger
  std::uint64_t max_root_bytes = std::uint64_t{8} << 30;    ///< derived from one root
  std::uint64_t max_root_payloads = 1'000'000;              ///< derived from one root
  double plugin_timeout = 60;                               ///< seconds, one plugin on one payload
  double root_timeout = 600;                                ///< seconds
  std::uint64_t memory = 0;                                 ///< bytes in flight; 0: 25 % of RAM
};

/// Which digests every record carries; SHA-256 always.
struct Digests {
  bool md5 = false, sha1 = false, sha512 = false;
};

/// Where the run's log goes besides standard error, and what of it. As stoQ's: 5 files of 1.5 MB.
struct LogSettings {
  std::optional<LogLevel> level;        ///< the least; nothing: warning, in the file info
  std::string file;                     ///< empty: none
  std::uint64_t max_bytes = 1'500'000;  ///< of the file; when it is full, it is renamed
  std::uint64_t count = 5;              ///< how many files so renamed are kept
};

/// At most `count` roots begin in any `seconds`.
struct RateLimit {
  std::uint64_t count = 1;
  double seconds = 1;
};

/// "name" or "category:name" → key → what was set, and where.
using PluginOptions = std::map<std::string, Options::Settings>;

enum class Format : std::uint8_t { jsonl, stoq };

struct Config {
  Input input;
  std::uint64_t min_size = 0;             ///< smaller roots are `filtered`
  std::optional<std::uint64_t> max_size;  ///< larger roots are `filtered`
  std::string source = "filedir";       ///< empty: one empty payload, for a worker that needs none
  unsigned source_instances = 1;        ///< of the source, beside each other
  std::optional<RateLimit> rate_limit;  ///< of roots that the source brings; nothing: none
  std::vector<std::string> workers;     ///< names; empty: none but the engine's own
  std::optional<Tlp> tlp;               ///< of roots whose source names none
  /// What the user says of every root: stands in its `meta`.
  std::vector<std::pair<std::string, std::string>> metadata;
  std::string connector = "stdout";  ///< empty: results are thrown away
  std::string archive;               ///< connector that keeps payloads; empty: none does
  std::string template_name;         ///< of the text results are saved as; empty: JSON
  std::string text_connector;        ///< takes the texts; empty: `connector` does, and no JSON
  unsigned threads = 0;              ///< 0: as many as the machine has
  Limits limits;
  Digests digests;
  /// Whether records of roots show their digests; nothing: when a worker's `hashpayload` asks for
  /// them, or there is no worker.
  std::optional<bool> hash_roots;
  bool dispatch = true;                     ///< open what dispatch rules know; false: nothing
  std::vector<std::string> dispatch_rules;  ///< the user's own, beside the shipped ones
  std::vector<std::string> plugin_dirs;     ///< searched first, in this order
  PluginOptions options;                    ///< over what the .stoq files say: the command line
  PluginOptions base_options;               ///< under what the .stoq files say: stoq.cfg
  LogSettings log;
  Format format = Format::jsonl;
  bool split = false;  ///< of Format::stoq: an object a payload in place of one a root
  bool ordered = true;
  bool timing = false;
  bool accounts = false;    ///< who used the CPU (account.hpp); costs about a percent
  std::size_t slowest = 0;  ///< with accounts: how many single calls to keep, a thread
  std::string config_file;  ///< the stoq.cfg that was read; empty: none
  std::string run_json;     ///< where run.json goes; empty: nowhere
};

}  // namespace stoq::engine
