/// What a worker costs per payload, by kind and size of the payload. The libraries are loaded and
/// called as the engine does it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <benchmark/benchmark.h>

#include <stoq/testing.hpp>

#include "engine/plugin_library.hpp"

namespace {

/// A worker with its options, ready to scan.
class Loaded {
 public:
  Loaded(const std::string& name, stoq::Options::Map options)
      : plugin_(stoq::engine::PluginLibrary(std::filesystem::path(STOQ_BUILD_PLUGINS) / "worker" /
                                            name / (name + ".so"))
                    .create()) {
    stoq::Options declared("worker:" + name, std::move(options));
    plugin_->activate(declared, host_);
  }

  [[nodiscard]] const stoq::Worker& worker() const {
    return dynamic_cast<const stoq::Worker&>(*plugin_);
  }

 private:
  stoq::testing::QuietHost host_;
  std::unique_ptr<stoq::Plugin> plugin_;
};

/// Payloads that stress different paths. The same in every run.
enum class Kind : std::uint8_t { text, random, png, pe };
constexpr std::array kinds{std::pair{Kind::text, "text"}, std::pair{Kind::random, "random"},
                           std::pair{Kind::png, "png"}, std::pair{Kind::pe, "pe"}};

std::string words(std::size_t size) {
  constexpr std::array list{"the ",   "quick ", "brown ", "fox ",
                            "jumps ", "over ",  "lazy ",  "dog\n"};
  std::minstd_rand random(1);
  std::string text;
  while (text.size() < size) text += list[random() % list.size()];
  text.resize(size);
  return text;
}

std::string make_payload(Kind kind, std::size_t size) {
  using namespace std::string_view_literals;
  if (kind == Kind::text) return words(size);
  std::mt19937 random(2);
  std::string bytes(size, '\0');
  std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random() & 0xffU); });
  const auto put = [&](std::size_t at, std::string_view head) {
    bytes.replace(at, head.size(), head);
  };
  if (kind == Kind::png) put(0, "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"sv);
  if (kind == Kind::pe && size >= 128) {
    put(0, "MZ"sv);
    put(60, "\x40\0\0\0PE\0\0\x64\x86\0\0"sv);
  }
  return bytes;
}

void scan(benchmark::State& state, const stoq::Worker& worker, Kind kind) {
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(make_payload(kind, static_cast<std::size_t>(state.range(0))));
  payload.name = "payload";
  for (auto _ : state) benchmark::DoNotOptimize(worker.scan(payload, {}));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void add(const std::string& name, const std::shared_ptr<const Loaded>& plugin) {
  for (const auto& [kind, word] : kinds) {
    benchmark::RegisterBenchmark(
        (name + "/" + word).c_str(),
        [plugin, kind = kind](benchmark::State& state) { scan(state, plugin->worker(), kind); })
        ->Arg(256)
        ->Arg(4 << 10)
        ->Arg(64 << 10)
        ->Arg(1 << 20)
        ->Arg(16 << 20);
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    add("entropy", std::make_shared<Loaded>("entropy", stoq::Options::Map{}));
    add("mimetype", std::make_shared<Loaded>("mimetype", stoq::Options::Map{}));
    add("yara",
        std::make_shared<Loaded>("yara", stoq::Options::Map{{"rules_list", STOQ_BENCH_RULES}}));
  } catch (const stoq::Error& error) {
    std::cerr << "stoq_bench: " << error.what() << '\n';
    return 1;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
