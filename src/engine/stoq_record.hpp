/// One root's results in stoQ 0.10's own shape: one object a root.
#pragma once

#include <string>

#include "engine/record.hpp"

namespace stoq::engine {

class StoqRecordWriter {
 public:
  StoqRecordWriter(const Config& config, RootState& root, Lane& lane, Totals& totals);
  void write(Assembler::Take take);

 private:
  void result(const Visit& visit, const Record& record);
  [[nodiscard]] std::string plugin_of(const Visit& visit, const Record& record) const;

  const Config& config_;
  RootState& root_;
  Totals& totals_;
  RecordIds ids_;
  std::string results_, plugins_;
  std::vector<std::uint32_t> ordinals_;
  std::vector<RecordId> lineage_;
  std::uint64_t count_ = 0;
};

}  // namespace stoq::engine
