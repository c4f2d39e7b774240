#include "stream.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace stoq::common {
namespace {

constexpr std::size_t first_chunk = std::size_t{64} << 10;
constexpr std::size_t last_chunk = std::size_t{1} << 20;

[[noreturn]] void fail(const Step& step, std::size_t offset) {
  const auto where = std::string(step.reason) + " at offset " + std::to_string(offset);
  if (step.state == Step::State::unsupported) throw Unsupported(where);
  throw MalformedInput(where);
}

}  // namespace

std::size_t pump(StreamDecoder& decoder, ByteView in, Buffer& out, const Request& request) {
  std::size_t used = 0;
  for (std::size_t chunk = first_chunk;; chunk = std::min(2 * chunk, last_chunk)) {
    if (request.stop_requested()) throw LimitReached{"plugin_timeout"};
    // A full buffer is no fault yet: the stream may be at its end, which one spare byte tells.
    std::array<std::byte, 1> spare{};
    const bool full = out.remaining() == 0;
    const auto room =
        full ? std::span<std::byte>(spare) : out.prepare(std::min(chunk, out.remaining()));
    const auto step = decoder.step(in.subspan(used), room);
    used += step.consumed;
    if (full && step.produced > 0) throw LimitReached{"child_bytes"};
    if (!full) out.commit(step.produced);
    if (step.state == Step::State::end) return used;
    if (step.state != Step::State::more) fail(step, used);
    if (step.consumed == 0 && step.produced == 0) {
      throw MalformedInput("compressed data ends early, at offset " + std::to_string(used));
    }
  }
}

}  // namespace stoq::common
