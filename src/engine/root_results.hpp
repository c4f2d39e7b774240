/// What the scan of a root leaves: its payloads, and where the spool says what is known of each.
/// Once the root is assembled nothing in it changes, and equal roots may share it.
#pragma once

#include <cstddef>
#include <cstdint>

#include <boost/container/small_vector.hpp>

#include <stoq/error.hpp>

#include "engine/spool.hpp"

namespace stoq::engine {

/// Numbers the different contents met under one root; 0 is the root's own.
using ContentId = std::uint32_t;
inline constexpr ContentId no_content = UINT32_MAX;
inline constexpr std::uint64_t no_entry = UINT64_MAX;

/// One place where a payload stands: the `ordinal`-th child of the content `parent`.
struct Occurrence {
  ContentId parent = no_content;
  std::uint32_t ordinal = 0;
  ContentId content = no_content;  ///< none when its bytes could not be had
  Status status = Status::ok;      ///< how its bytes came, before anything opened them
  std::uint64_t entry = no_entry;
};

/// What the first scan of a content left: places of entries in the spool.
struct Content {
  std::uint64_t expansion = no_entry, workers = no_entry, counts = no_entry;
  std::uint32_t claimed_by = 0;  ///< number of the occurrence that was scanned
  std::uint16_t depth = 0;       ///< where it was scanned
  bool expandable = false;       ///< some rule asked for a plugin
  bool reads_name = false;       ///< one of these plugins may read the payload's name or depth
};

/// Most roots hold nothing but themselves.
template <class T>
using OneOrMore = boost::container::small_vector<T, 1>;

struct RootResults {
  OneOrMore<Occurrence> occurrences;
  OneOrMore<Content> contents;
  Spool spool{std::size_t{64} << 10};

  /// Bytes of memory it holds.
  [[nodiscard]] std::size_t memory() const noexcept {
    return sizeof *this + elsewhere(occurrences) + elsewhere(contents) + spool.in_memory_bytes();
  }

 private:
  template <class T>
  [[nodiscard]] static std::size_t elsewhere(const OneOrMore<T>& list) noexcept {
    return list.capacity() > 1 ? list.capacity() * sizeof(T) : 0;
  }
};

}  // namespace stoq::engine
