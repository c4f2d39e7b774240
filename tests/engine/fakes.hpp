/// The graph on plugins of the tests' own: a container format that is easy to write down, fakes
/// that open it in every way the SDK knows, and a harness that runs a corpus and reads the records.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <stoq/plugin.hpp>

#include "engine/config.hpp"
#include "engine/graph.hpp"
#include "engine/plugin_set.hpp"
#include "engine/totals.hpp"

namespace stoq::fakes {

using Json = nlohmann::json;

/// A member of a box: name and bytes.
using Members = std::vector<std::pair<std::string, std::string>>;

/// A container: magic, then name and bytes of each member with their sizes before them. The magic
/// says which way the fakes open it: BOXE emits slices, BOXP produces copies, BOXR does so through
/// each(), XOR_ is decoded (the first member's bytes, inverted; called "a" when it is itself
/// "a.inv"), CARV is carved (each BOX inside).
std::string box(std::string_view magic, const Members& members);
/// A payload whose decoder gives back `plain`.
std::string inverted(std::string_view plain);

/// The members of a box, as views of it.
struct BoxMember {
  std::string_view name;
  std::size_t offset = 0, size = 0;
};
std::vector<BoxMember> read_box(ByteView bytes);

using Expand = std::function<void(const Payload&, const Request&, Children&)>;
using Look = std::function<Value(const Payload&, const Request&)>;

/// What a run left.
struct Ran {
  std::string lines;
  std::size_t count = 0;  ///< lines as told to save()
  std::vector<Json> records;
  engine::Totals totals;
  std::vector<engine::PluginCounters> counters;
  std::uint64_t peak = 0, used = 0, spilled = 0;
  std::uint64_t repeated = 0;       ///< roots that took an equal one's results
  std::uint64_t into_dispatch = 0;  ///< payloads, over all edges, sent and inline
  std::string problem;              ///< what run() threw

  /// The record whose stoq.path is `path`; null when there is none.
  [[nodiscard]] const Json& at(std::string_view path) const;
  [[nodiscard]] std::string status(std::string_view path) const;
  [[nodiscard]] std::size_t count_status(std::string_view status) const;
};

/// Plugins, rules and configuration of a run; run() may be called many times.
class World {
 public:
  World();

  /// Adds a plugin that sees payloads beginning with `magic`.
  void expander(Category category, const std::string& name, std::string_view magic, Expand body,
                bool reads_name = true);
  void worker(const std::string& name, Look body, bool reads_name = false);
  /// Makes `connector` the one that archives.
  void archiver(std::unique_ptr<Connector> connector, Tlp max_tlp = Tlp::red);
  /// The fakes for BOXE, BOXP, BOXR, XOR_ and CARV, and a worker that sums the bytes.
  void add_standard(bool reads_name = true);

  /// Runs over roots given as (path, bytes).
  [[nodiscard]] Ran run(const Members& roots);
  [[nodiscard]] Ran run_source(const std::function<void(Intake&)>& ingest);
  /// Runs and keeps nothing: how many records came.
  [[nodiscard]] std::size_t count_lines(const Members& roots);

  engine::Config config;
  engine::GraphTuning tuning;
  unsigned threads = 2;
  std::uint64_t memory = std::uint64_t{64} << 20;
  bool delays = false;  ///< every call into a plugin takes a random while
  std::string extra_rules;
  bool save = false;  ///< rules of expanders added from now on say `save`
  /// Called with the graph before it runs, for interrupts.
  std::function<void(engine::Graph&)> before;
  std::function<void(std::string_view)> on_save;
  engine::PluginSet plugins;

 private:
  void pause() const;
  [[nodiscard]] std::unique_ptr<engine::Dispatcher> dispatcher() const;

  std::vector<std::unique_ptr<Plugin>> owned_;
  std::string rules_;
  mutable std::atomic<std::uint64_t> pauses_{0};
};

/// Checks what holds of every run that was not cut short: lines are JSON, records add up.
void expect_conserved(const Ran& ran, std::size_t roots);

/// A corpus of `roots` random trees of boxes, with repetitions within and between them.
Members random_corpus(std::uint32_t seed, std::size_t roots);

}  // namespace stoq::fakes
