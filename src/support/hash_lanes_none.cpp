// In place of hash_lanes.cpp where the library is not there to build with.
#include "support/hash_lanes.hpp"

namespace stoq::support {

struct HashLanes::State {};

std::unique_ptr<HashLanes> HashLanes::make(Algorithm /*algorithm*/, bool /*sha_instructions*/) {
  return nullptr;
}
HashLanes::~HashLanes() = default;
std::size_t HashLanes::least() const noexcept { return 0; }
void HashLanes::digest(std::span<Message> /*messages*/) {}

}  // namespace stoq::support
