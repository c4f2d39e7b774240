/// One root's records as lines of JSON (output schema 1).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/assembler.hpp"

namespace stoq::engine {

/// A payload's entries joined, with what only its place in the tree tells.
struct Record {
  OccurrenceEntry occurrence;
  ExpansionEntry expansion;
  WorkersEntry workers;
  CountsEntry counts;  ///< all parts together
  Status status = Status::ok;
  std::string errors;           ///< JSON objects, comma between
  const char* limit = nullptr;  ///< a limit that only the tree shows
};

/// Reads and joins what the spool knows of one visited payload; counts it in `totals`. Notes in the
/// root when its results could be others another time.
[[nodiscard]] Record join_record(RootState& root, Spool::Reader& reader, const Visit& visit,
                                 Totals& totals);

/// First 16 hex digits of SHA-256 over (root path, ordinal path, payload SHA-256).
struct RecordId {
  std::array<char, 16> digits{};
  [[nodiscard]] std::string_view text() const noexcept { return {digits.data(), digits.size()}; }
};

class RecordIds {
 public:
  RecordIds(const RootState& root, Lane& lane) : root_(root), lane_(lane) {}
  /// `ordinals`: the path below the root.
  [[nodiscard]] RecordId make(const std::vector<std::uint32_t>& ordinals,
                              const OccurrenceEntry& entry);

 private:
  const RootState& root_;
  Lane& lane_;
  std::string place_;  // kept for its room
};

/// Whether a record at this depth says the digests of its payload: a worker's `hashpayload`.
[[nodiscard]] inline bool shows_digests(const Config& config, std::uint32_t depth) noexcept {
  return depth > 0 || config.hash_roots.value_or(true);
}

class RecordWriter {
 public:
  RecordWriter(const Config& config, RootState& root, Lane& lane, Totals& totals);
  void write(Assembler::Take take);

 private:
  void line(const Visit& visit, const Record& record);
  void file_object(std::string& out, std::uint32_t depth, const Record& record);
  void stoq_object(std::string& out, const Visit& visit, const Record& record);
  void bare_root();

  const Config& config_;
  RootState& root_;
  Totals& totals_;
  RecordIds ids_;
  std::string out_;
  std::vector<std::uint32_t> ordinals_;  // below the root
  std::vector<RecordId> lineage_;        // from the root to the payload
  std::vector<std::string> paths_;
  std::vector<RecordId> first_ids_;  // by content
};

}  // namespace stoq::engine
