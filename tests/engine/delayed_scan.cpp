// A scan whose every plugin call is delayed at random: `delayed_scan THREADS SEED PLUGIN_DIR PATH…`
// writes the records to standard output. They must be those of `stoq scan`, byte for byte.
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <thread>

#include "engine/dispatcher.hpp"
#include "engine/graph.hpp"
#include "engine/plugin_registry.hpp"

namespace {

using namespace stoq;

/// Sleeps up to 2 ms, by the payload, the call's number and the seed.
class Delay {
 public:
  explicit Delay(unsigned seed) : seed_(seed) {}
  void operator()(const Payload& payload) const {
    std::minstd_rand random(seed_ + static_cast<unsigned>(payload.bytes.size()) +
                            calls_.fetch_add(1));
    random.discard(3);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 2000));
  }

 private:
  unsigned seed_;
  mutable std::atomic<unsigned> calls_{0};
};

class DelayedWorker final : public Worker {
 public:
  DelayedWorker(const Plugin& inner, const Delay& delay)
      : inner_(dynamic_cast<const Worker&>(inner)), delay_(delay) {}
  [[nodiscard]] Value scan(const Payload& payload, const Request& request) const override {
    delay_(payload);
    return inner_.scan(payload, request);
  }
  [[nodiscard]] bool reads_name() const noexcept override { return inner_.reads_name(); }

 private:
  const Worker& inner_;
  const Delay& delay_;
};

class DelayedExtractor final : public Extractor {
 public:
  DelayedExtractor(const Plugin& inner, const Delay& delay)
      : inner_(dynamic_cast<const Extractor&>(inner)), delay_(delay) {}
  void extract(const Payload& payload, const Request& request, Children& children) const override {
    delay_(payload);
    inner_.extract(payload, request, children);
  }
  [[nodiscard]] bool reads_name() const noexcept override { return inner_.reads_name(); }
  [[nodiscard]] std::string child_name(std::string_view payload_name) const override {
    return inner_.child_name(payload_name);
  }

 private:
  const Extractor& inner_;
  const Delay& delay_;
};

class DelayedCarver final : public Carver {
 public:
  DelayedCarver(const Plugin& inner, const Delay& delay)
      : inner_(dynamic_cast<const Carver&>(inner)), delay_(delay) {}
  void carve(const Payload& payload, const Request& request, Children& children) const override {
    delay_(payload);
    inner_.carve(payload, request, children);
  }
  [[nodiscard]] bool reads_name() const noexcept override { return inner_.reads_name(); }
  [[nodiscard]] std::string child_name(std::string_view payload_name) const override {
    return inner_.child_name(payload_name);
  }

 private:
  const Carver& inner_;
  const Delay& delay_;
};

class DelayedDecoder final : public Decoder {
 public:
  DelayedDecoder(const Plugin& inner, const Delay& delay)
      : inner_(dynamic_cast<const Decoder&>(inner)), delay_(delay) {}
  void decode(const Payload& payload, const Request& request, Children& children) const override {
    delay_(payload);
    inner_.decode(payload, request, children);
  }
  [[nodiscard]] bool reads_name() const noexcept override { return inner_.reads_name(); }
  [[nodiscard]] std::string child_name(std::string_view payload_name) const override {
    return inner_.child_name(payload_name);
  }

 private:
  const Decoder& inner_;
  const Delay& delay_;
};

std::unique_ptr<Plugin> delayed(const engine::LoadedPlugin& plugin, const Delay& delay) {
  switch (plugin.category) {
    case Category::worker:
      return std::make_unique<DelayedWorker>(*plugin.instance, delay);
    case Category::extractor:
      return std::make_unique<DelayedExtractor>(*plugin.instance, delay);
    case Category::carver:
      return std::make_unique<DelayedCarver>(*plugin.instance, delay);
    default:
      return std::make_unique<DelayedDecoder>(*plugin.instance, delay);
  }
}

int run(unsigned threads, unsigned seed, const std::string& plugin_dir,
        std::vector<std::string> paths) {
  engine::Config config;
  config.plugin_dirs = {plugin_dir};
  config.limits.memory = std::uint64_t{256} << 20;
  config.input.paths = std::move(paths);
  engine::Log log;
  engine::PluginRegistry registry(config, log, threads);
  const Delay delay(seed);
  std::vector<std::unique_ptr<Plugin>> wrappers;
  engine::PluginSet plugins;
  const auto number_of = [&](Category category, const std::string& name) {
    auto& loaded = registry.need(category, name);
    if (const auto known = plugins.find(loaded.qualified); known != engine::PluginSet::none) {
      return known;
    }
    wrappers.push_back(delayed(loaded, delay));
    return plugins.add({category, loaded.name, loaded.qualified, wrappers.back().get(),
                        loaded.engine.types, loaded.engine.max_size});
  };
  for (const auto* worker : {"mimetype", "entropy"}) (void)number_of(Category::worker, worker);
  engine::Dispatcher dispatcher(engine::dispatch_sources({}));
  for (auto& rule : dispatcher.rules()) {
    for (auto& target : rule.targets) {
      const auto [category, name] = engine::parse_qualified(target.plugin, rule.name);
      target.index = number_of(category, name);
    }
  }
  auto& source = dynamic_cast<Source&>(*registry.need(Category::source, "filedir").instance);
  engine::Graph graph(config, plugins, dispatcher, threads, config.limits.memory,
                      [](std::string_view lines, std::size_t) { std::cout << lines; });
  graph.run([&](Intake& intake) { source.ingest(config.input, intake); });
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    const std::vector<std::string> arguments(words, words + count);
    if (arguments.size() < 5) {
      std::cerr << "usage: delayed_scan THREADS SEED PLUGIN_DIR PATH…\n";
      return 2;
    }
    return run(static_cast<unsigned>(std::stoul(arguments[1])),
               static_cast<unsigned>(std::stoul(arguments[2])), arguments[3],
               {arguments.begin() + 4, arguments.end()});
  } catch (const std::exception& error) {
    std::cerr << "delayed_scan: " << error.what() << '\n';
    return 2;
  }
}
