/// Names of payloads that their plugin named after their parents: given anew where a payload, or
/// its root, has another name than where it was scanned.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/entry.hpp"
#include "engine/plugin_set.hpp"

namespace stoq::engine {

/// What a plugin calls a child that was brought out without a name; empty when it fails.
[[nodiscard]] inline std::string name_child(const PluginEntry& plugin, std::string_view parent) {
  try {
    return plugin.plugin->child_name(parent);
  } catch (const std::exception&) {
    return {};
  }
}

/// Along a walk of a RootTree. `root`: its name, not copied.
class ChildNames {
 public:
  ChildNames(const PluginSet& plugins, std::string_view root) : plugins_(plugins), root_(root) {}

  /// Gives a payload the name it has in this place, valid until the next; parents go before
  /// children.
  void give(std::uint32_t depth, OccurrenceView& entry) {
    if (depth == 0) {
      entry.name = root_;
      return;
    }
    names_.resize(depth - 1);
    if (entry.named_by != 0) {
      names_.push_back(name_child(plugins_.plugins[entry.named_by - 1],
                                  depth == 1 ? root_ : std::string_view(names_.back())));
    } else {
      names_.emplace_back(entry.name);
    }
    entry.name = names_.back();
  }

 private:
  const PluginSet& plugins_;
  std::string_view root_;
  std::vector<std::string> names_;  // from below the root to the payload
};

}  // namespace stoq::engine
