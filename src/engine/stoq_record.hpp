/// One root's results in stoQ 0.10's own shape: one object a root, or split into one a payload.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/record.hpp"
#include "engine/root_tree.hpp"
#include "support/json.hpp"

namespace stoq::engine {

class StoqRecordWriter {
 public:
  StoqRecordWriter(const Config& config, const PluginSet& plugins, RootState& root, Lane& lane,
                   Totals& totals);
  void write(Assembler::Take take);

 private:
  /// The payloads of one depth, which stoQ numbers and lists together.
  struct Level {
    std::string plugins, results;  ///< members; items; comma between
    std::uint64_t next = 0;        ///< payload_id of the next one
  };

  void add_bare_root(Assembler::Take take);
  void add_tree(Assembler::Take take);
  void number_payloads(const RootTree& tree);
  void add(const Visit& visit, const Record& record, Assembler::Take take);
  void render(const Visit& visit, const Record& record, std::uint64_t id);
  void add_digests(support::JsonObject& object, const Visit& visit, const Record& record) const;
  void add_scan(support::JsonObject& object, const Record& record) const;
  [[nodiscard]] std::string document(std::uint64_t payloads, std::string_view plugins,
                                     std::string_view results) const;
  [[nodiscard]] std::string plugin_of(const Visit& visit, const Record& record) const;
  /// Of every result: the worker, where there is just one.
  [[nodiscard]] std::string worker() const;
  [[nodiscard]] bool is_archived(const Visit& visit, const Record& record) const;

  const Config& config_;
  const PluginSet& plugins_;
  RootState& root_;
  Totals& totals_;
  RecordIds ids_;
  std::string plugin_, result_;  ///< what render() leaves
  std::vector<Level> levels_;    ///< by depth
  std::vector<std::uint32_t> ordinals_;
  std::vector<RecordId> lineage_;
};

}  // namespace stoq::engine
