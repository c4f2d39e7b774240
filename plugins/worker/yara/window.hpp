/// A part of a payload.
#pragma once

#include <cstddef>
#include <vector>

struct Window {
  std::size_t begin = 0, end = 0;
  friend bool operator==(const Window&, const Window&) = default;
};

/// In rising order, apart from each other.
using Windows = std::vector<Window>;
