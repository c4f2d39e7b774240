#include "engine/payload_path.hpp"

#include <algorithm>

#include "engine/entry.hpp"
#include "engine/root_state.hpp"

namespace stoq::engine {

std::string escaped_layer(std::string_view name) {
  const auto special = [](char letter) { return letter == '!' || letter == '\\'; };
  std::string part(name);
  for (auto at = std::find_if(part.begin(), part.end(), special); at != part.end();
       at = std::find_if(at, part.end(), special)) {
    at = part.insert(at, '\\') + 2;
  }
  return part;
}

std::string child_layer(std::string_view name, std::uint32_t ordinal) {
  return name.empty() ? "#" + std::to_string(ordinal) : escaped_layer(name);
}

std::string path_of(RootState& root, std::uint32_t content) {
  std::string path;
  const std::lock_guard lock(root.mutex);
  Spool::Reader reader(root.results->spool);
  // A parent's number is below its child's: it was met before.
  while (content < root.results->contents.size()) {
    const auto& place = root.results->occurrences[root.results->contents[content].claimed_by];
    if (place.parent == no_content) break;
    const auto entry = unpack_occurrence(reader.read(place.entry));
    path.insert(0, '!' + child_layer(entry.name, place.ordinal));
    content = place.parent;
  }
  return escaped_layer(root.root.path) + path;
}

}  // namespace stoq::engine
