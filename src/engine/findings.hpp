/// Sorts what workers say of a payload into the parts of its record.
#pragma once

#include <cstddef>

#include <stoq/value.hpp>

#include "engine/entry.hpp"
#include "engine/plugin_set.hpp"

namespace stoq::engine {

/// Adds one worker's answer. Gives back how many bytes of JSON came of it, without its members
/// `file` and `error`.
std::size_t add_findings(WorkersEntry& entry, const PluginEntry& worker, const Value& found);

}  // namespace stoq::engine
