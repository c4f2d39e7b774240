/// A stretch of a payload.
#pragma once

#include <cstddef>

namespace stoq::engine {

struct Part {
  std::size_t begin = 0, end = 0;
  [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
  bool operator==(const Part&) const = default;
};

}  // namespace stoq::engine
