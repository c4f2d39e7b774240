/// The way in which a payload is shown to libyara.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <stoq/bytes.hpp>

#include "engine/part.hpp"

struct YR_SCAN_CONTEXT;

namespace stoq::engine {

/// What conditions can read of a payload of this size: all, or, above 64 MiB, the first 16 MiB and
/// the last 64 KiB.
struct Readable {
  std::array<Part, 2> parts;
  std::size_t count;
  [[nodiscard]] std::span<const Part> view() const noexcept { return {parts.data(), count}; }
};
[[nodiscard]] Readable readable_parts(std::size_t size) noexcept;

/// Searches the parts `searched` for strings and evaluates conditions that can read the parts
/// `readable`; the size is the whole payload's. Parts in rising order, apart from each other; where
/// both are not the same, it rests on YaraTrial::searches_parts. libyara's error code.
[[nodiscard]] int yara_scan(YR_SCAN_CONTEXT* scanner, ByteView bytes,
                            std::span<const Part> searched, std::span<const Part> readable);

}  // namespace stoq::engine
