/// What taking things apart costs: inflating, the members of a zip, base64. Plugins are loaded and
/// called as the engine does it, with a host that only collects.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <zip.h>
#include <zlib.h>

#include <stoq/testing.hpp>

#include "engine/plugin_library.hpp"
#include "inflate.hpp"

namespace {

using stoq::common::Framing;

/// Text that deflates to about a third. The same in every run; `seed` makes another.
std::string make_text(std::size_t size, unsigned seed = 1) {
  constexpr std::string_view letters = "etaoin shrdlu\n";
  std::minstd_rand random(seed);
  std::vector<std::string> words(400);
  for (auto& word : words) {
    for (auto left = 2 + random() % 8; left > 0; --left) word += letters[random() % letters.size()];
    word += ' ';
  }
  std::string text;
  while (text.size() < size) text += words[random() % words.size()];
  text.resize(size);
  return text;
}

/// `window_bits`: as zlib's deflateInit2 takes it, which is also what decides the framing.
std::string deflated(std::string text, int window_bits) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = static_cast<Bytef*>(static_cast<void*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = static_cast<Bytef*>(static_cast<void*>(packed.data()));
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// `hinted`: the size is known, as in a zip's directory, which opens the quick way of libdeflate.
void inflate(benchmark::State& state, Framing framing, int window_bits, bool hinted) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const auto packed = stoq::Bytes::own(deflated(make_text(size), window_bits));
  const stoq::common::Inflater inflater;
  for (auto _ : state) {
    stoq::testing::VectorBuffer fresh(size + 1);
    inflater.inflate(packed.view(), framing, hinted ? size : 0, fresh, {});
    if (fresh.size() != size) state.SkipWithError("bytes are missing");
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

#define STOQ_INFLATE_BENCH(name, framing, bits, hinted)            \
  BENCHMARK_CAPTURE(inflate, name, Framing::framing, bits, hinted) \
      ->Arg(1 << 10)                                               \
      ->Arg(16 << 10)                                              \
      ->Arg(1 << 20)
STOQ_INFLATE_BENCH(raw_size_known, raw, -MAX_WBITS, true);
STOQ_INFLATE_BENCH(raw_size_unknown, raw, -MAX_WBITS, false);
STOQ_INFLATE_BENCH(gzip, gzip, MAX_WBITS + 16, false);

/// A plugin with its own defaults, ready to be called.
class Loaded {
 public:
  Loaded(const std::string& category, const std::string& name)
      : plugin_(stoq::engine::PluginLibrary(std::filesystem::path(STOQ_BUILD_PLUGINS) / category /
                                            name / (name + ".so"))
                    .create()) {
    stoq::Options options(category + ":" + name, {});
    plugin_->activate(options, host_);
  }
  template <class T>
  [[nodiscard]] const T& as() const {
    return dynamic_cast<const T&>(*plugin_);
  }

 private:
  stoq::testing::QuietHost host_;
  std::unique_ptr<stoq::Plugin> plugin_;
};

/// A zip of `members` texts of `size` bytes, made by libzip in memory; empty when it fails.
std::string make_zip(std::size_t members, std::size_t size) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < members; ++i) {
    texts.push_back(make_text(size, static_cast<unsigned>(i + 1)));
  }
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, nullptr);
  zip_t* archive = zip_open_from_source(target, ZIP_TRUNCATE, nullptr);
  if (archive == nullptr) return {};
  zip_source_keep(target);
  for (std::size_t i = 0; i < members; ++i) {
    zip_source_t* text = zip_source_buffer(archive, texts[i].data(), texts[i].size(), 0);
    zip_file_add(archive, ("folder/member" + std::to_string(i) + ".txt").c_str(), text, 0);
  }
  std::string packed;
  zip_stat_t about{};
  if (zip_close(archive) == 0 && zip_source_stat(target, &about) == 0 &&
      zip_source_open(target) == 0) {
    packed.resize(about.size);
    zip_source_read(target, packed.data(), packed.size());
    zip_source_close(target);
  }
  zip_source_free(target);
  return packed;
}

/// Members a second out of a zip; range: bytes of a member.
void zip_members(benchmark::State& state) {
  constexpr std::size_t members = 500;
  const Loaded plugin("extractor", "zip");
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(make_zip(members, static_cast<std::size_t>(state.range(0))));
  for (auto _ : state) {
    stoq::testing::Collector children;
    plugin.as<stoq::Extractor>().extract(payload, {}, children);
    if (children.children.size() != members) state.SkipWithError("members are missing");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(members));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(members) * state.range(0));
}
BENCHMARK(zip_members)->Arg(100)->Arg(1 << 10)->Arg(16 << 10)->Unit(benchmark::kMicrosecond);

std::string base64_of(std::string_view text) {
  constexpr std::string_view alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string encoded;
  for (std::size_t i = 0; i + 3 <= text.size(); i += 3) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned char>(text[i + k]); };
    const auto bits =
        (static_cast<unsigned>(at(0)) << 16U) | (static_cast<unsigned>(at(1)) << 8U) | at(2);
    for (const auto shift : {18U, 12U, 6U, 0U}) encoded += alphabet[(bits >> shift) & 63U];
  }
  return encoded;
}

/// `encoded`: all of it is base64; else a text without any, which is what most payloads are.
void base64(benchmark::State& state, bool encoded) {
  const Loaded plugin("decoder", "base64");
  const auto text = make_text(static_cast<std::size_t>(state.range(0)));
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(encoded ? base64_of(text) : text);
  for (auto _ : state) {
    stoq::testing::Collector children;
    plugin.as<stoq::Decoder>().decode(payload, {}, children);
    if (children.children.empty() == encoded) state.SkipWithError("not as many children as meant");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(payload.bytes.size()));
}
BENCHMARK_CAPTURE(base64, encoded, true)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(base64, plain_text, false)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20);

}  // namespace

BENCHMARK_MAIN();
