/// What a worker costs per payload, by kind and size of the payload. The libraries are loaded and
/// called as the engine does it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

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

/// Real files of the machine that runs this: the first 32 MiB in bytewise order of their paths.
struct Files {
  const char* name;
  const char* folder;
  std::vector<std::string_view> suffixes;
};

std::vector<stoq::Bytes> read_files(const Files& files) {
  namespace fs = std::filesystem;
  std::vector<fs::path> paths;
  std::error_code none;
  for (const auto& entry : fs::recursive_directory_iterator(
           files.folder, fs::directory_options::skip_permission_denied, none)) {
    const auto path = entry.path().string();
    const bool is_meant = std::any_of(files.suffixes.begin(), files.suffixes.end(),
                                      [&](std::string_view end) { return path.ends_with(end); });
    if (is_meant && entry.is_regular_file(none) && !entry.is_symlink(none)) paths.push_back(path);
  }
  std::sort(paths.begin(), paths.end());
  std::vector<stoq::Bytes> contents;
  std::size_t left = std::size_t{32} << 20U;
  for (const auto& path : paths) {
    std::ifstream stream(path, std::ios::binary);
    std::ostringstream read;
    read << stream.rdbuf();
    auto bytes = std::move(read).str();
    if (bytes.size() > left) continue;
    left -= bytes.size();
    contents.push_back(stoq::Bytes::own(std::move(bytes)));
  }
  return contents;
}

void add_files(const std::string& name, const std::shared_ptr<const Loaded>& plugin) {
  const std::array sets{Files{"doc", "/usr/share/doc", {"copyright", "README", "NEWS", ".txt"}},
                        Files{"html", "/usr/share", {".html", ".htm"}},
                        Files{"so", "/usr/lib/x86_64-linux-gnu", {".so"}}};
  for (const auto& set : sets) {
    benchmark::RegisterBenchmark((name + "/files/" + set.name).c_str(),
                                 [plugin, set](benchmark::State& state) {
                                   std::int64_t bytes = 0;
                                   stoq::Payload payload;
                                   const auto contents = read_files(set);
                                   for (auto _ : state) {
                                     for (const auto& content : contents) {
                                       payload.bytes = content;
                                       bytes += static_cast<std::int64_t>(content.size());
                                       benchmark::DoNotOptimize(plugin->worker().scan(payload, {}));
                                     }
                                   }
                                   state.SetBytesProcessed(bytes);
                                   state.counters["files"] = static_cast<double>(contents.size());
                                 });
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  try {
    add("entropy", std::make_shared<Loaded>("entropy", stoq::Options::Map{}));
    const auto iocextract = std::make_shared<Loaded>("iocextract", stoq::Options::Map{});
    add("iocextract", iocextract);
    add_files("iocextract", iocextract);
    add_files("iocextract-no-utf16",
              std::make_shared<Loaded>("iocextract", stoq::Options::Map{{"utf16", "False"}}));
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
