/// A finished root's payloads as a tree in canonical order: first occurrence of a content opened,
/// later ones duplicates, one inside itself a quine. Independent of who scanned what first.
#pragma once

#include <cstdint>
#include <vector>

#include <stoq/function_ref.hpp>

#include "engine/child_names.hpp"
#include "engine/root_results.hpp"

namespace stoq::engine {

/// Where the walk stands.
struct Visit {
  enum class Kind : std::uint8_t { first, duplicate, quine, no_bytes };
  Kind kind = Kind::first;
  std::uint32_t occurrence = 0;  ///< number in RootResults::occurrences
  std::uint32_t depth = 0;
  /// A limit cut its bytes, or it is a broken child of what a limit cut: that it cannot be opened
  /// to its end may be the limit's doing.
  bool cut = false;
};

class RootTree {
 public:
  /// `cut`: a limit cut the root's own bytes.
  explicit RootTree(const RootResults& root, bool cut = false);

  /// Calls `visit` for every payload, parents before children, children by ordinal. False from
  /// `visit` ends the walk.
  void walk(FunctionRef<bool(const Visit&)> visit) const;

 private:
  const RootResults& root_;
  bool cut_;
  std::vector<std::uint32_t> order_;  // occurrences but the root's, by (parent, ordinal)
  std::vector<std::uint32_t> begin_;  // by content: where its children begin in order_
};

/// Whether the parallel pass may differ from the canonical one: a content was scanned where another
/// depth or name shows in its results.
[[nodiscard]] bool differs_from_canonical(const RootResults& root, const RootTree& tree,
                                          std::uint64_t max_depth, bool workers_read_names,
                                          ChildNames names);

}  // namespace stoq::engine
