/// What one message asks for.
#pragma once

#include <stoq/plugin.hpp>

namespace messages {

/// The root that a message describes. Throws MalformedInput, saying what is wrong with it.
[[nodiscard]] stoq::Root root_of(const stoq::Value& message);

}  // namespace messages
