/// The body of `load`: brings a root's bytes into memory.
#pragma once

#include "engine/config.hpp"
#include "engine/memory.hpp"
#include "engine/root_state.hpp"

namespace stoq::engine {

class Loader {
 public:
  Loader(const Config& config, Memory& memory) noexcept : config_(config), memory_(memory) {}

  /// Reads the root's file (or checks the bytes it came with). False when there is nothing to scan:
  /// the root's status says why. `before_large` is called once the file turns out to be large,
  /// before it is read, so that the batch's rest can be given away.
  bool load(RootState& root, unsigned lane, FunctionRef<void()> before_large);

 private:
  [[nodiscard]] bool wanted(RootState& root, std::uint64_t size) const;
  [[nodiscard]] Bytes read(int file, std::size_t size, unsigned lane);

  const Config& config_;
  Memory& memory_;
};

}  // namespace stoq::engine
