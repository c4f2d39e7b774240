/// Shannon entropy of a payload in bits per byte, rounded to four decimals.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include <stoq/plugin.hpp>

namespace {

using Histogram = std::array<std::uint64_t, 256>;

/// Bytes between two looks at the stop request.
constexpr std::size_t step = std::size_t{16} << 20;

/// Four tables, so that a run of equal bytes does not wait for its own last increment.
void count(stoq::ByteView bytes, std::array<Histogram, 4>& tables) {
  std::size_t at = 0;
  for (; bytes.size() - at >= 4; at += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      ++tables[lane][std::to_integer<std::uint8_t>(bytes[at + lane])];
    }
  }
  for (; at < bytes.size(); ++at) ++tables[0][std::to_integer<std::uint8_t>(bytes[at])];
}

double bits_per_byte(const std::array<Histogram, 4>& tables, std::size_t size) {
  const auto total = static_cast<double>(size);
  double bits = 0;
  for (std::size_t value = 0; value < 256; ++value) {
    const auto times = tables[0][value] + tables[1][value] + tables[2][value] + tables[3][value];
    if (times == 0 || times == size) continue;
    const auto share = static_cast<double>(times) / total;
    bits -= share * std::log2(share);
  }
  return bits;
}

class Entropy : public stoq::Worker {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  stoq::Value scan(const stoq::Payload& payload, const stoq::Request& request) const override {
    const auto bytes = payload.view();
    if (bytes.empty()) return {};
    std::array<Histogram, 4> tables{};
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      if (request.stop_requested()) return {};
      count(bytes.subspan(at, std::min(step, bytes.size() - at)), tables);
    }
    const auto bits = bits_per_byte(tables, bytes.size());
    return {{"entropy", std::round(bits * 1e4) / 1e4}};
  }
};

}  // namespace

STOQ_PLUGIN(Entropy)
