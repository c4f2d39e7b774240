/// What the engine itself costs: payloads a second through the graph with a worker that does
/// nothing, sent and inline, and the parts of that price: buffers, digests, dispatch rules,
/// records.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <stoq/plugin.hpp>

#include "engine/assembler.hpp"
#include "engine/dispatcher.hpp"
#include "engine/entry.hpp"
#include "engine/graph.hpp"
#include "engine/lane.hpp"
#include "engine/memory.hpp"
#include "engine/plugin_set.hpp"
#include "engine/root_state.hpp"
#include "support/digest.hpp"

namespace {

using namespace stoq::engine;

constexpr std::size_t child_size = 1024;
constexpr std::size_t children_of_root = 20'000;

/// A container without headers: magic, then children of child_size bytes.
constexpr std::string_view magic = "BOX!";
constexpr const char* box_rule =
    "rule box { meta: plugin = \"extractor:box\" condition: uint32be(0) == 0x424f5821 }";

/// Children begin with their number: no two are equal, or all but the first were duplicates.
stoq::Bytes make_box(std::size_t children) {
  std::string bytes(magic);
  bytes.resize(magic.size() + children * child_size, 'x');
  for (std::size_t i = 0; i < children; ++i) {
    std::memcpy(&bytes[magic.size() + i * child_size], &i, sizeof i);
  }
  return stoq::Bytes::own(std::move(bytes));
}

/// How the box hands its children over.
enum class Way : std::uint8_t { slice, copy, range };

class Box final : public stoq::Extractor {
 public:
  explicit Box(Way way) : way_(way) {}
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void extract(const stoq::Payload& payload, const stoq::Request& /*request*/,
               stoq::Children& children) const override {
    const auto bytes = payload.bytes;
    const auto count = (bytes.size() - magic.size()) / child_size;
    const auto at = [](std::size_t index) { return magic.size() + index * child_size; };
    if (way_ == Way::range) {
      children.each(count, [bytes, at](std::size_t index, stoq::Children& member) {
        member.emit(bytes.slice(at(index), child_size), {});
      });
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (way_ == Way::slice) {
        children.emit(bytes.slice(at(i), child_size), {});
      } else {
        children.produce({}, child_size, [&](stoq::Buffer& out) {
          out.append(bytes.view().subspan(at(i), child_size));
        });
      }
    }
  }

 private:
  Way way_;
};

class Nothing final : public stoq::Worker {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }
  [[nodiscard]] stoq::Value scan(const stoq::Payload& /*payload*/,
                                 const stoq::Request& /*request*/) const override {
    return {};
  }
};

/// Payloads a second through the whole graph. `hungry`: jobs queued below which children are sent;
/// with one thread none ever is.
void through_graph(benchmark::State& state, Way way, unsigned threads, unsigned hungry) {
  Box box(way);
  Nothing nothing;
  PluginSet plugins;
  plugins.add({stoq::Category::worker, "nothing", "worker:nothing", &nothing});
  const auto number = plugins.add({stoq::Category::extractor, "box", "extractor:box", &box});
  Config config;
  config.workers = {"nothing"};
  config.threads = threads;
  Dispatcher dispatcher(std::vector<Dispatcher::Source>{{"bench", box_rule}});
  for (auto& rule : dispatcher.rules()) {
    for (auto& target : rule.targets) target.index = number;
  }
  GraphTuning tuning;
  tuning.hungry_limit = hungry;
  const auto bytes = make_box(children_of_root);
  std::uint64_t lines = 0, written = 0, sent = 0, inlined = 0;
  for (auto _ : state) {
    Graph graph(
        config, plugins, dispatcher, threads, std::uint64_t{512} << 20,
        [&](std::string_view text, std::size_t count) {
          lines += count;
          written += text.size();
        },
        tuning);
    graph.run([&](stoq::Intake& intake) {
      stoq::Root root;
      root.path = "box";
      root.bytes = bytes;
      intake.put(std::move(root));
    });
    const auto [messages, calls] = graph.edge("extract", "dispatch");
    sent += messages;
    inlined += calls;
  }
  const auto per_run = [&](std::uint64_t all) {
    return benchmark::Counter(static_cast<double>(all), benchmark::Counter::kAvgIterations);
  };
  if (lines != static_cast<std::uint64_t>(state.iterations()) * (children_of_root + 1)) {
    state.SkipWithError("records are missing");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(lines));
  state.counters["sent"] = per_run(sent);
  state.counters["inline"] = per_run(inlined);
  state.counters["line_bytes"] =
      benchmark::Counter(static_cast<double>(written) / static_cast<double>(lines));
}

constexpr unsigned always = std::numeric_limits<unsigned>::max();

#define STOQ_GRAPH_BENCH(way, name, threads, hungry)                        \
  BENCHMARK_CAPTURE(through_graph, way##_##name, Way::way, threads, hungry) \
      ->UseRealTime()                                                       \
      ->Unit(benchmark::kMillisecond)
STOQ_GRAPH_BENCH(slice, inline_1_thread, 1, 0);
STOQ_GRAPH_BENCH(copy, inline_1_thread, 1, 0);
STOQ_GRAPH_BENCH(range, inline_1_thread, 1, 0);
STOQ_GRAPH_BENCH(slice, as_needed_2_threads, 2, 0);
STOQ_GRAPH_BENCH(copy, as_needed_2_threads, 2, 0);
STOQ_GRAPH_BENCH(range, as_needed_2_threads, 2, 0);
STOQ_GRAPH_BENCH(slice, sent_2_threads, 2, always);
STOQ_GRAPH_BENCH(copy, sent_2_threads, 2, always);
STOQ_GRAPH_BENCH(range, sent_2_threads, 2, always);

// --- Parts --------------------------------------------------------------------------------------

void buffer_pool(benchmark::State& state) {
  Memory memory(std::uint64_t{256} << 20, 1);
  const auto size = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    const auto block = memory.take(size, 0, Prefer::lane);
    benchmark::DoNotOptimize(block.data);
    memory.give(block);
  }
}
BENCHMARK(buffer_pool)->Arg(1 << 10)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20)->Arg(16 << 20);

void digest(benchmark::State& state, stoq::support::DigestSet set) {
  stoq::support::Digester digester(set);
  const auto bytes = make_box(static_cast<std::size_t>(state.range(0)) / child_size + 1);
  const auto view = bytes.view().first(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(digester.digest(view));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(digest, sha256, {})->Arg(256)->Arg(4 << 10)->Arg(64 << 10)->Arg(1 << 20);
BENCHMARK_CAPTURE(digest, all_four, {true, true, true})->Arg(4 << 10)->Arg(1 << 20);

enum class Kind : std::uint8_t { text, random };

std::string make_payload(Kind kind, std::size_t size) {
  std::mt19937 random(1);
  std::string bytes;
  constexpr std::array words{"the ", "quick ", "brown ", "fox ", "jumps ", "over ", "dogs.\n"};
  while (bytes.size() < size) {
    if (kind == Kind::text) {
      bytes += words[random() % words.size()];
    } else {
      bytes += static_cast<char>(random() & 0xffU);
    }
  }
  bytes.resize(size);
  return bytes;
}

/// The shipped rules on one payload.
void dispatch(benchmark::State& state, Kind kind) {
  Dispatcher dispatcher(dispatch_sources({}));
  Dispatcher::Scanner scanner(dispatcher);
  const auto bytes = stoq::Bytes::own(make_payload(kind, static_cast<std::size_t>(state.range(0))));
  Plan plan;
  for (auto _ : state) {
    plan.clear();
    scanner.scan(bytes.view(), {}, plan);
    benchmark::DoNotOptimize(plan.calls.data());
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(dispatch, text, Kind::text)
    ->Arg(16)
    ->Arg(1 << 10)
    ->Arg(4 << 10)
    ->Arg(64 << 10)
    ->Arg(1 << 20);
BENCHMARK_CAPTURE(dispatch, random, Kind::random)
    ->Arg(16)
    ->Arg(1 << 10)
    ->Arg(4 << 10)
    ->Arg(64 << 10)
    ->Arg(1 << 20);

/// A finished root with `children` children, as the scan leaves it in the spool.
void fill(RootState& root, std::size_t children) {
  std::string packed;
  const auto append = [&](const auto& entry) {
    pack(packed, entry);
    return root.results->spool.append(packed);
  };
  root.root.path = "corpus/some/folder/file.zip";
  for (std::size_t i = 0; i <= children; ++i) {
    OccurrenceEntry occurrence;
    occurrence.name = i == 0 ? root.root.path : "member/of/it/number" + std::to_string(i) + ".txt";
    occurrence.size = 4096;
    occurrence.digests = "\"sha256\":\"" + std::string(64, 'a') + "\"";
    if (i > 0) occurrence.origin = R"({"category":"extractor","plugin":"zip","member":"m.txt"})";
    WorkersEntry workers;
    workers.file = R"("mime_type":"text/plain")";
    workers.workers = R"("entropy":{"entropy":4.1234})";
    Content content;
    content.expansion = append(ExpansionEntry{"zip", R"("extractor:zip")", {}, stoq::Status::ok});
    content.workers = append(workers);
    if (i == 0) {
      CountsEntry counts;
      counts.declared = counts.emitted = children;
      content.counts = append(counts);
    }
    const auto parent = i == 0 ? no_content : ContentId{0};
    root.results->occurrences.push_back({parent, static_cast<std::uint32_t>(i == 0 ? 0 : i - 1),
                                         static_cast<ContentId>(i), occurrence.status,
                                         append(occurrence)});
    root.results->contents.push_back(content);
  }
}

void render_records(benchmark::State& state) {
  const Config config;
  const PluginSet plugins;
  const Assembler assembler(config, plugins);
  const Dispatcher dispatcher(std::vector<Dispatcher::Source>{{"bench", box_rule}});
  Lane lane(0, dispatcher, {}, 0);
  Totals totals;
  RootState root;
  const auto children = static_cast<std::size_t>(state.range(0));
  fill(root, children);
  std::size_t lines = 0;
  for (auto _ : state) {
    assembler.render(root, lane, totals, [&](std::string& text, std::size_t count) {
      lines += count;
      benchmark::DoNotOptimize(text.data());
    });
  }
  if (lines != static_cast<std::size_t>(state.iterations()) * (children + 1)) {
    state.SkipWithError("records are missing");
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(lines));
}
BENCHMARK(render_records)->Arg(0)->Arg(100);

}  // namespace

BENCHMARK_MAIN();
