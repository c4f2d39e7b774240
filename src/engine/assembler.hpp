/// Renders a finished root's records, one line each, in tree order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <stoq/function_ref.hpp>

#include "engine/config.hpp"
#include "engine/entry.hpp"
#include "engine/lane.hpp"
#include "engine/plugin_set.hpp"
#include "engine/root_state.hpp"
#include "engine/root_tree.hpp"
#include "engine/totals.hpp"

namespace stoq::engine {

class Assembler {
 public:
  /// Takes away finished lines, at any size; they are cleared afterwards.
  using Take = FunctionRef<void(std::string& lines, std::size_t count)>;

  Assembler(const Config& config, const PluginSet& plugins);

  /// Whether the root must be done again in canonical order.
  [[nodiscard]] bool must_redo(RootState& root) const;
  /// Whether its results would be others if it, or a payload in it, had another name.
  [[nodiscard]] bool depends_on_name(const RootState& root) const;
  /// Renders every record of the root and counts it in `totals`.
  void render(RootState& root, Lane& lane, Totals& totals, Take take) const;

 private:
  const Config& config_;
  const PluginSet& plugins_;
  bool workers_read_names_ = false;
};

}  // namespace stoq::engine
