/// A finished root's payloads, read back from its spool.
#pragma once

#include <string>

#include "engine/child_names.hpp"
#include "engine/entry.hpp"
#include "engine/root_state.hpp"
#include "engine/root_tree.hpp"
#include "engine/spool.hpp"
#include "engine/totals.hpp"

namespace stoq::engine {

/// A payload's entries joined, with what only its place in the tree tells. Valid until the next.
struct Record {
  OccurrenceView occurrence;
  ExpansionView expansion;
  WorkersView workers;
  CountsEntry counts;  ///< all parts together
  Status status = Status::ok;
  std::string errors;           ///< JSON objects, comma between
  const char* limit = nullptr;  ///< a limit that only the tree shows
};

class RecordReader {
 public:
  RecordReader(const PluginSet& plugins, RootState& root, Totals& totals)
      : root_(root),
        totals_(totals),
        spool_(root.results->spool),
        counts_(root.results->spool),
        names_(plugins, root.name()) {}

  /// Joins what the spool knows of a visited payload; counts it in the totals. In the order of
  /// RootTree::walk. Notes in the root when its results could be others another time.
  [[nodiscard]] Record read(const Visit& visit);
  /// What the workers said of a content that was scanned by them.
  [[nodiscard]] WorkersView workers_of(const Content& content) {
    return unpack_workers(spool_.read(content.workers));
  }

 private:
  void add_content(const Visit& visit, Record& record);
  void count(const Visit& visit, const Record& record);

  RootState& root_;
  Totals& totals_;
  Spool::Reader spool_;   ///< of a record's three entries, which it keeps until the next
  Spool::Reader counts_;  ///< of chains of any length
  ChildNames names_;
};

}  // namespace stoq::engine
