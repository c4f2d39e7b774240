/// How people are told where a payload stands: layers separated by '!'.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stoq::engine {

struct RootState;

/// A name as one layer of a path.
[[nodiscard]] std::string escaped_layer(std::string_view name);
/// The same for a child; one without a name stands by its place.
[[nodiscard]] std::string child_layer(std::string_view name, std::uint32_t ordinal);
/// The path of the place where a content was met first. Takes the root's mutex. Throws IoError.
[[nodiscard]] std::string path_of(RootState& root, std::uint32_t content);

}  // namespace stoq::engine
