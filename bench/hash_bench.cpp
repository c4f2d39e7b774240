/// What digests cost: messages one by one and several at once, by size, number and algorithms.
/// "mixed" are sizes as small files have them (half below 2 KiB, mean 5 KiB).
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "support/digest.hpp"

namespace {

using stoq::support::Digester;
using stoq::support::DigestResult;
using stoq::support::DigestSet;

constexpr DigestSet only_sha256{};
constexpr DigestSet with_sha1{.sha1 = true};
constexpr DigestSet with_sha512{.sha512 = true};
constexpr DigestSet all_four{.md5 = true, .sha1 = true, .sha512 = true};

constexpr std::size_t mixed_count = 512;
constexpr std::int64_t mixed = -1;  ///< in place of a size

/// Messages of one size, or of mixed ones; the same in every run.
class Messages {
 public:
  explicit Messages(std::int64_t size) : pool_(std::size_t{4} << 20U, '\0') {
    std::minstd_rand random(11);
    for (auto& byte : pool_) byte = static_cast<char>(random());
    std::lognormal_distribution<double> sizes(7.6, 1.3);
    std::size_t at = 0;
    for (std::size_t i = 0; i < mixed_count; ++i) {
      const auto one = size == mixed
                           ? std::min<std::size_t>(static_cast<std::size_t>(sizes(random)), 32768)
                           : static_cast<std::size_t>(size);
      if (at + one > pool_.size()) at = 0;
      views_.push_back(stoq::as_bytes(pool_).subspan(at, one));
      at += one;
      bytes_ += one;
    }
  }
  [[nodiscard]] std::span<const stoq::ByteView> views() const { return views_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::string pool_;
  std::vector<stoq::ByteView> views_;
  std::size_t bytes_ = 0;
};

/// Arguments: size (or `mixed`), and how many at once; 1: one by one.
void digests(benchmark::State& state, DigestSet set) {
  const Messages messages(state.range(0));
  const auto at_once = static_cast<std::size_t>(state.range(1));
  Digester digester(set);
  std::vector<DigestResult> results(mixed_count);
  for (auto _ : state) {
    const auto views = messages.views();
    for (std::size_t i = 0; i < views.size(); i += at_once) {
      const auto count = std::min(at_once, views.size() - i);
      if (at_once == 1) {
        results[i] = digester.digest(views[i]);
      } else {
        digester.digest(views.subspan(i, count), std::span(results).subspan(i, count));
      }
    }
    benchmark::DoNotOptimize(results.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(mixed_count));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(messages.bytes()));
}

#define STOQ_HASH_BENCH(set) \
  BENCHMARK_CAPTURE(digests, set, set)->ArgsProduct({{mixed, 64, 1024, 16384}, {1, 8, 32, 64}})
STOQ_HASH_BENCH(only_sha256);
STOQ_HASH_BENCH(with_sha1);
STOQ_HASH_BENCH(with_sha512);
STOQ_HASH_BENCH(all_four);

}  // namespace

BENCHMARK_MAIN();
