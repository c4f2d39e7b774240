/// A run, whole: plugins, graph, totals. What the command line calls.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/accounts.hpp"
#include "engine/config.hpp"
#include "engine/plugin_arguments.hpp"

namespace stoq::engine {

/// How far a run is; read at any moment from any thread.
struct Progress {
  std::uint64_t roots = 0, payloads = 0, bytes = 0;      ///< done
  std::uint64_t expected_roots = 0, expected_bytes = 0;  ///< 0: not known (yet)
};

/// What one plugin did.
struct PluginCost {
  std::string name;  ///< "category:name"
  std::uint64_t calls = 0, bytes = 0, children = 0, errors = 0;
  double seconds = 0;         ///< of wall time, children scanned in between left out
  std::uint64_t overran = 0;  ///< calls that outlived plugin_timeout and did not stop by themselves
  std::uint64_t out = 0;      ///< bytes of its children, or of a worker's results
};

/// What the connector that archives did.
struct ArchiveCounts {
  std::uint64_t kept = 0, bytes = 0;  ///< payloads that are new there
  std::uint64_t known = 0;            ///< those that it had
  std::uint64_t failed = 0;           ///< attempts; the records name them
};

/// The accounts of a finished run.
struct Summary {
  std::uint64_t roots = 0, payloads = 0, bytes = 0;
  std::uint64_t declared = 0, emitted = 0, dropped = 0;
  std::array<std::uint64_t, 13> statuses{};                  ///< by Status
  std::vector<std::pair<std::string, std::uint64_t>> types;  ///< by count, greatest first
  std::vector<PluginCost> plugins;                           ///< by time, greatest first
  std::map<std::string, std::uint64_t> limits;               ///< limit → payloads it cut
  std::uint64_t repeated = 0;  ///< roots equal to one scanned before: its results were taken
  std::optional<ArchiveCounts> archive;  ///< when payloads were to be kept
  std::uint64_t peak_charge = 0, spilled_bytes = 0;
  double seconds = 0;
  bool interrupted = false;
  double cpu_seconds = 0;                 ///< of the whole process while it scanned, by getrusage
  std::optional<Accounts> accounts;       ///< when the configuration asks for them
  std::vector<std::string> plugin_names;  ///< by the numbers that the accounts use
  /// 0 everything scanned, 1 something is not ok, 130 interrupted.
  [[nodiscard]] int exit_code() const noexcept;
};

/// One run. Construct (finds, checks and activates plugins; throws ConfigError), then run() once.
class Run {
 public:
  explicit Run(Config config);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run();

  /// Scans; returns when all is written. Throws IoError when results cannot be written.
  Summary run();
  /// Ends the run early: what was begun is drained, what is written stays valid. A run whose source
  /// is endless ends as if the source were done. Async-signal-safe, callable from any thread at any
  /// time.
  void interrupt() noexcept;
  [[nodiscard]] Progress progress() const noexcept;
  /// The configured graph as DOT; after run() with each edge's counts.
  [[nodiscard]] std::string to_dot() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// One option of a plugin, with its value in force.
struct OptionInfo {
  std::string key, value, fallback, help;
  std::string origin;  ///< "default", "file:line", "--option"
};

/// A plugin as `stoq list` and `stoq info` show it.
struct PluginInfo {
  Category category{};
  std::string name, version, description, author, website, folder;
  std::vector<OptionInfo> options;        ///< filled by describe_plugin() only
  std::vector<PluginArgument> arguments;  ///< of a worker's command
  std::string problem;                    ///< why it cannot be used; empty when it can
};

/// Every plugin found, by category and name; reads .stoq files only, runs nothing of theirs.
[[nodiscard]] std::vector<PluginInfo> list_plugins(const Config& config);
/// One plugin, loaded and activated, with its options. `name` may be "category:name".
/// Throws ConfigError when there is none.
[[nodiscard]] PluginInfo describe_plugin(const Config& config, const std::string& name);

}  // namespace stoq::engine
