#include "engine/run.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <thread>

#include "engine/connections.hpp"
#include "engine/dispatcher.hpp"
#include "engine/graph.hpp"
#include "engine/heartbeats.hpp"
#include "engine/plugin_registry.hpp"
#include "engine/run_report.hpp"
#include "engine/templates.hpp"
#include "engine/ticks.hpp"
#include "support/text.hpp"

namespace stoq::engine {
namespace {

unsigned default_threads() { return std::max(1U, std::thread::hardware_concurrency()); }

PluginEntry entry_of(LoadedPlugin& plugin) {
  const auto& engine = plugin.engine;
  return {plugin.category, plugin.name,     plugin.qualified, plugin.instance.get(),
          engine.types,    engine.max_size, engine.max_tlp,   engine.save_results};
}

}  // namespace

int Summary::exit_code() const noexcept {
  if (interrupted) return 130;
  std::uint64_t fine = 0;
  for (const auto status : {Status::ok, Status::duplicate, Status::known, Status::filtered}) {
    fine += statuses[static_cast<std::size_t>(status)];
  }
  return fine == payloads ? 0 : 1;
}

struct Run::State {
  explicit State(Config given)
      : config(std::move(given)),
        threads(config.threads != 0 ? config.threads : default_threads()),
        log(config.log),
        registry(config, log, threads) {
    if (config.limits.memory == 0) config.limits.memory = default_memory();
    if (!config.template_name.empty()) config.format = Format::stoq;
    if (config.format == Format::stoq) config.digests = {true, true, true};
    bool hash_roots = config.workers.empty();
    for (const auto& name : config.workers) {
      auto& worker = registry.need(Category::worker, name);
      if (config.source.empty()) check_needs(worker);
      hash_roots = hash_roots || worker.engine.hash_payload;
      plugins.add(entry_of(worker));
    }
    if (!config.hash_roots) config.hash_roots = hash_roots;
    if (!config.source.empty()) add_sources();
    if (!config.connector.empty()) {
      connector = dynamic_cast<Connector*>(
          registry.need(Category::connector, config.connector).instance.get());
    }
    if (connector != nullptr) connections.add(*connector, {.results = true});
    if (!config.text_connector.empty()) add_text_connector();
    if (!config.template_name.empty() && (connector != nullptr || text_connector != nullptr))
      add_templates();
    if (!config.archive.empty()) add_archiver();
    if (!sources.empty()) {
      for (const auto& name : sources.front()->fetches_from()) add_fetcher(name);
    }
    dispatcher.emplace(dispatch_sources(config.dispatch_rules));
    for (auto& rule : dispatcher->rules()) {
      if (!config.dispatch) rule.targets.clear();  // it still tells the type
      for (auto& target : rule.targets) target.index = number_of(target.plugin, rule.name);
    }
    graph.emplace(
        config, plugins, *dispatcher, threads, config.limits.memory,
        [this](std::string_view lines, std::size_t count) { save(lines, count); }, GraphTuning{},
        [this] {
          for (auto* const one : {connector, text_connector}) {
            if (one != nullptr) one->flush();
          }
        });
  }

  /// Without a source there is nothing to show to a worker.
  static void check_needs(const LoadedPlugin& worker) {
    if (!worker.engine.needs_payload) return;
    throw ConfigError(
        "nothing to scan: name files or folders with -F, or a list with --files-from (" +
        worker.qualified + " needs a payload)");
  }

  void add_text_connector() {
    if (config.template_name.empty()) {
      throw ConfigError(
          "--text-connector takes what a template makes of results; name one with --template");
    }
    if (config.text_connector == config.connector) {
      throw ConfigError("--text-connector: connector:" + config.connector +
                        " takes the results as JSON; leave it out, or name another connector");
    }
    text_connector = dynamic_cast<Connector*>(
        registry.need(Category::connector, config.text_connector).instance.get());
    connections.add(*text_connector, {.results = true});
  }

  void add_templates() {
    const auto& taker = text_connector != nullptr ? text_connector : connector;
    if (!taker->takes_text()) {
      throw ConfigError(
          "connector:" + (text_connector != nullptr ? config.text_connector : config.connector) +
          " takes no text, which --template makes of results; leave that out, or "
          "name a connector such as stdout or file");
    }
    templates.emplace(config, registry.found(), log);
  }

  void add_sources() {
    auto& first = registry.need(Category::source, config.source);
    if (config.source_instances > 1 && !first.engine.multiprocess) {
      throw ConfigError(first.qualified +
                        " runs one instance only (multiprocess = False in its .stoq file); leave "
                        "out --source-instances");
    }
    for (unsigned i = 0; i < config.source_instances; ++i) {
      auto& plugin = i == 0 ? first : registry.another(first);
      sources.push_back(&dynamic_cast<Source&>(*plugin.instance));
    }
  }

  void add_archiver() {
    auto& loaded = registry.need(Category::connector, config.archive);
    auto& archiver = dynamic_cast<Connector&>(*loaded.instance);
    if (!archiver.archives()) {
      throw ConfigError(loaded.qualified +
                        " does not archive; name a connector that does, such as " + "'-A file'");
    }
    connections.add(archiver, {.archive = true});
    plugins.archiver = plugins.add(entry_of(loaded));
  }

  /// A connector that roots may be fetched from.
  void add_fetcher(const std::string& name) {
    auto& loaded = registry.need(Category::connector, name);
    connections.add(dynamic_cast<Connector&>(*loaded.instance), {.fetch = true});
    const auto known = plugins.find(loaded.qualified);
    plugins.fetchers.push_back(known != PluginSet::none ? known : plugins.add(entry_of(loaded)));
  }

  /// The number of a plugin that a rule names; loads it.
  std::size_t number_of(const std::string& qualified, const std::string& rule) {
    if (const auto known = plugins.find(qualified); known != PluginSet::none) return known;
    const auto [category, name] = parse_qualified(qualified, "dispatch rule " + rule);
    return plugins.add(entry_of(registry.need(category, name)));
  }

  void save(std::string_view lines, std::size_t count) {
    if (connector != nullptr) {
      const bool as_text = templates && text_connector == nullptr;
      connector->save(as_text ? templates->render(lines) : lines, count);
    }
    if (text_connector != nullptr) text_connector->save(templates->render(lines), count);
  }

  Summary summarise(double seconds) const;
  /// In words, for the log.
  [[nodiscard]] std::string what_runs() const;
  Summary run();
  /// Runs the graph, with heartbeats and connection around it.
  void scan();

  Config config;
  unsigned threads;
  Log log;
  PluginRegistry registry;
  PluginSet plugins;
  std::vector<Source*> sources;         ///< the instances; none: one empty payload
  Connector* connector = nullptr;       ///< null: results are thrown away
  Connector* text_connector = nullptr;  ///< null: `connector` takes texts, if there are any
  Connections connections;
  std::optional<Templates> templates;
  std::optional<Dispatcher> dispatcher;
  std::optional<Graph> graph;
};

Run::Run(Config config) : state_(std::make_unique<State>(std::move(config))) {}
Run::~Run() = default;

std::string Run::State::what_runs() const {
  auto text = "stoq " STOQ_VERSION ", source " + (config.source.empty() ? "none" : config.source) +
              ", workers";
  for (const auto& worker : config.workers) text += " " + worker;
  if (config.workers.empty()) text += " none";
  text += ", connector " + (config.connector.empty() ? "none" : config.connector);
  if (!config.text_connector.empty()) text += ", texts to " + config.text_connector;
  return config.config_file.empty() ? text : text + ", options of " + config.config_file;
}

Summary Run::State::summarise(double seconds) const {
  Summary summary;
  const auto totals = graph->totals();
  summary.roots = totals.roots;
  summary.payloads = totals.payloads;
  summary.bytes = totals.bytes;
  summary.declared = totals.declared;
  summary.emitted = totals.emitted;
  summary.dropped = totals.dropped;
  summary.statuses = totals.statuses;
  summary.repeated = graph->counts().repeated;
  summary.types.assign(totals.types.begin(), totals.types.end());
  std::stable_sort(summary.types.begin(), summary.types.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  summary.limits.insert(totals.limits.begin(), totals.limits.end());
  const auto counters = graph->plugin_counters();
  for (std::size_t i = 0; i < counters.size(); ++i) {
    const auto& one = counters[i];
    if (one.calls == 0) continue;
    summary.plugins.push_back({plugins.plugins[i].qualified, one.calls, one.bytes, one.children,
                               one.errors, std::chrono::duration<double>(one.time).count(),
                               one.overran, one.out});
  }
  std::stable_sort(summary.plugins.begin(), summary.plugins.end(),
                   [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  if (plugins.archiver != PluginSet::none) {
    const auto& archiver = counters[plugins.archiver];
    summary.archive = {archiver.kept, archiver.out, archiver.had,
                       archiver.calls - archiver.kept - archiver.had};
  }
  summary.seconds = seconds;
  if (config.accounts) {
    summary.accounts = graph->accounts();
    for (const auto& plugin : plugins.plugins) summary.plugin_names.push_back(plugin.qualified);
  }
  summary.interrupted = graph->interrupted();
  return summary;
}

void Run::State::scan() {
  connections.connect();
  try {
    // Gone before disconnect(), so that no heartbeat meets a connection that is closed.
    Heartbeats heartbeats(log);
    for (const auto& plugin : registry.loaded()) {
      heartbeats.start(*plugin->instance, plugin->qualified);
    }
    std::vector<Graph::Ingest> instances;
    if (sources.empty()) {
      instances.emplace_back([this](Intake& intake) {
        Root nothing;
        nothing.path = config.workers.front();
        intake.put(std::move(nothing));
      });
    }
    for (unsigned i = 0; i < sources.size(); ++i) {
      instances.emplace_back([this, i](Intake& intake) {
        auto input = config.input;
        input.instance = i;
        input.instances = static_cast<unsigned>(sources.size());
        sources[i]->ingest(input, intake);
      });
    }
    graph->run(instances);
  } catch (...) {
    // What was saved stays valid, whatever ended the run; that reason is what the user is told.
    try {
      connections.disconnect();
    } catch (const std::exception& error) {
      log.write(LogLevel::error, {}, error.what());
    }
    throw;
  }
  connections.disconnect();
}

Summary Run::State::run() {
  const auto began = Clock::now();
  const auto cpu_before = process_cpu();
  scan();
  const auto cpu = process_cpu() - cpu_before;
  const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
  auto summary = summarise(seconds);
  summary.cpu_seconds = static_cast<double>(cpu) * 1e-9;
  summary.peak_charge = graph->memory().credit().peak();
  summary.spilled_bytes = graph->memory().spilled();
  if (!config.run_json.empty()) {
    write_run_report(config, threads, registry, *graph, summary);
  }
  return summary;
}

Summary Run::run() {
  auto& log = state_->log;
  log.record(LogLevel::info, "the run begins: " + state_->what_runs());
  try {
    auto summary = state_->run();
    log.record(LogLevel::info,
               (summary.interrupted ? "the run was interrupted after " : "the run ends after ") +
                   std::to_string(summary.roots) + " files, " + std::to_string(summary.payloads) +
                   " payloads");
    return summary;
  } catch (const std::exception& error) {
    log.record(LogLevel::critical, std::string("the run ends: ") + error.what());
    throw;
  }
}

void Run::interrupt() noexcept {
  const auto& sources = state_->sources;
  if (!sources.empty() && sources.front()->is_endless()) return state_->graph->end_intake();
  state_->graph->interrupt();
}

Progress Run::progress() const noexcept {
  const auto counts = state_->graph->counts();
  return {counts.roots, counts.payloads, counts.bytes, counts.expected_roots,
          counts.expected_bytes};
}

std::string Run::to_dot() const { return state_->graph->to_dot(); }

std::vector<PluginInfo> list_plugins(const Config& config) {
  std::vector<PluginInfo> list;
  for (const auto& found : find_plugins(config.plugin_dirs)) {
    PluginInfo info;
    info.category = found.category;
    info.name = found.name;
    info.folder = found.folder.string();
    info.arguments = found.arguments;
    info.problem = found.problem;
    info.version = found.ini.get("Documentation", "version");
    info.description = found.ini.get("Documentation", "description");
    info.author = found.ini.get("Documentation", "author");
    info.website = found.ini.get("Documentation", "website");
    list.push_back(std::move(info));
  }
  return list;
}

PluginInfo describe_plugin(const Config& config, const std::string& name) {
  const auto bare = name.substr(name.find(':') + 1);
  std::vector<std::string> names;
  for (auto& info : list_plugins(config)) {
    const auto qualified = std::string(to_string(info.category)) + ":" + info.name;
    names.push_back(info.name);
    if (name != info.name && name != qualified) continue;
    Log log;
    PluginRegistry registry(config, log, 1);
    try {
      info.options = registry.need(info.category, info.name).options;
    } catch (const Error& error) {
      info.problem = error.what();
      // What an option that it does not know is to be compared with.
      for (const auto& loaded : registry.loaded()) {
        if (loaded->qualified == qualified) info.options = loaded->options;
      }
    }
    return info;
  }
  const auto near = support::nearest(bare, names);
  throw ConfigError(
      "there is no plugin called '" + name + "'" +
      (near.empty() ? "; 'stoq list' shows what there is" : "; did you mean '" + near + "'?"));
}

}  // namespace stoq::engine
