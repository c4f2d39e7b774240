/// One root's records as lines of JSON (output schema 1).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/assembler.hpp"
#include "engine/record_reader.hpp"

namespace stoq::engine {

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
                              const OccurrenceView& entry);

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
  RecordWriter(const Config& config, const PluginSet& plugins, RootState& root, Lane& lane,
               Totals& totals);
  void write(Assembler::Take take);

 private:
  void line(const Visit& visit, const Record& record);
  void add_path(std::uint32_t depth, std::string_view name, std::uint32_t ordinal);
  void file_object(std::string& out, std::uint32_t depth, const Record& record);
  void stoq_object(std::string& out, const Visit& visit, const Record& record);
  static void add_origin(std::string& out, const OccurrenceView& entry);
  void bare_root();

  const Config& config_;
  const PluginSet& plugins_;
  RootState& root_;
  Totals& totals_;
  RecordIds ids_;
  std::string out_;
  std::vector<std::uint32_t> ordinals_;  // below the root
  std::vector<RecordId> lineage_;        // from the root to the payload
  std::vector<std::string> paths_;       // as lineage_; what is behind it is kept for its room
  std::vector<RecordId> first_ids_;      // by content
};

}  // namespace stoq::engine
