/// Members of a container with random access: an index range that idle threads split.
#pragma once

#include "engine/sink.hpp"

namespace stoq::engine {

/// One each() call, alive until its last member is done.
struct Range {
  Scan& scan;
  RootState& root;
  std::size_t plugin = 0;
  bool save = false;
  ContentId content = 0;
  std::uint32_t depth = 0, base = 0;
  std::uint64_t most_bytes = 0;
  Children::Member member;
  Bytes payload;     ///< keeps the container's bytes alive
  std::string name;  ///< of the payload

  std::shared_ptr<std::atomic<std::uint64_t>> out_bytes;  ///< of the whole payload
  std::atomic<std::size_t> left{0};
  std::mutex mutex;  ///< guards counts
  CountsEntry counts;
};

/// Runs members [low, high), giving parts away while threads are hungry. The last part to end
/// writes the counts.
void run_range(const std::shared_ptr<Range>& range, Lane& lane, CallTimer& timer, std::size_t low,
               std::size_t high);

}  // namespace stoq::engine
