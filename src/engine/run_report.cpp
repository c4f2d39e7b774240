#include "engine/run_report.hpp"

#include <fstream>

#include "engine/stage.hpp"
#include "support/json.hpp"

namespace stoq::engine {
namespace {

using support::JsonObject;

void add_limits(JsonObject& report, const Limits& limits) {
  JsonObject object(report.key("limits"));
  object.number("max_depth", limits.max_depth);
  object.number("max_children", limits.max_children);
  object.number("max_child_bytes", limits.max_child_bytes);
  object.number("max_ratio", limits.max_ratio);
  object.number("max_root_bytes", limits.max_root_bytes);
  object.number("max_root_payloads", limits.max_root_payloads);
  support::append_json_number(object.key("plugin_timeout"), limits.plugin_timeout);
  support::append_json_number(object.key("root_timeout"), limits.root_timeout);
  object.number("memory", limits.memory);
}

void add_list(JsonObject& object, std::string_view key, const std::vector<std::string>& items) {
  auto& out = object.key(key) += '[';
  for (const auto& item : items) {
    if (out.back() != '[') out += ',';
    support::append_json_string(out, item);
  }
  out += ']';
}

void add_plugins(JsonObject& report, const PluginRegistry& registry) {
  auto& out = report.key("plugins") += '[';
  for (const auto& plugin : registry.loaded()) {
    if (out.back() != '[') out += ',';
    JsonObject object(out);
    object.text("name", plugin->qualified);
    object.text("version", plugin->version);
    auto& options = object.key("options") += '[';
    for (const auto& option : plugin->options) {
      if (options.back() != '[') options += ',';
      JsonObject one(options);
      one.text("name", option.key);
      one.text("value", option.value);
      one.text("origin", option.origin);
    }
    options += ']';
  }
  out += ']';
}

void add_totals(JsonObject& report, const Summary& summary) {
  JsonObject object(report.key("totals"));
  object.number("roots", summary.roots);
  object.number("payloads", summary.payloads);
  object.number("bytes", summary.bytes);
  object.number("declared", summary.declared);
  object.number("emitted", summary.emitted);
  object.number("dropped", summary.dropped);
  JsonObject statuses(object.key("statuses"));
  for (std::size_t i = 0; i < summary.statuses.size(); ++i) {
    if (summary.statuses[i] > 0)
      statuses.number(to_string(static_cast<Status>(i)), summary.statuses[i]);
  }
}

void add_costs(JsonObject& report, const Graph& graph, const Summary& summary) {
  auto& plugins = report.key("plugin_costs") += '[';
  for (const auto& cost : summary.plugins) {
    if (plugins.back() != '[') plugins += ',';
    JsonObject object(plugins);
    object.text("name", cost.name);
    object.number("calls", cost.calls);
    object.number("bytes", cost.bytes);
    object.number("children", cost.children);
    object.number("bytes_out", cost.out);
    object.number("errors", cost.errors);
    object.number("overran", cost.overran);
    support::append_json_number(object.key("seconds"), cost.seconds);
  }
  plugins += ']';
  auto& edges = report.key("edges") += '[';
  for (std::size_t from = 0; from < stage_count; ++from) {
    for (std::size_t to = 0; to < stage_count; ++to) {
      const auto from_name = to_string(static_cast<Stage>(from));
      const auto to_name = to_string(static_cast<Stage>(to));
      const auto [sent, inlined] = graph.edge(from_name, to_name);
      if (sent + inlined == 0) continue;
      if (edges.back() != '[') edges += ',';
      JsonObject object(edges);
      object.text("from", from_name);
      object.text("to", to_name);
      object.number("sent", sent);
      object.number("inline", inlined);
    }
  }
  edges += ']';
}

}  // namespace

void write_run_report(const Config& config, unsigned threads, const PluginRegistry& registry,
                      const Graph& graph, const Summary& summary) {
  std::string out;
  {
    JsonObject report(out);
    report.number("schema", 1);
    report.text("version", STOQ_VERSION);
    if (!config.config_file.empty()) report.text("config_file", config.config_file);
    add_list(report, "paths", config.input.paths);
    report.text("source", config.source);
    report.text("connector", config.connector);
    if (!config.text_connector.empty()) report.text("text_connector", config.text_connector);
    if (!config.archive.empty()) report.text("archive", config.archive);
    add_list(report, "workers", config.workers);
    report.flag("dispatch", config.dispatch);
    if (config.rate_limit) {
      JsonObject limit(report.key("rate_limit"));
      limit.number("count", config.rate_limit->count);
      support::append_json_number(limit.key("seconds"), config.rate_limit->seconds);
    }
    report.number("threads", threads);
    add_limits(report, config.limits);
    add_plugins(report, registry);
    add_totals(report, summary);
    add_costs(report, graph, summary);
    support::append_json_number(report.key("seconds"), summary.seconds);
    report.number("repeated", summary.repeated);
    if (summary.archive) {
      JsonObject archived(report.key("archived"));
      archived.number("kept", summary.archive->kept);
      archived.number("bytes", summary.archive->bytes);
      archived.number("known", summary.archive->known);
      archived.number("failed", summary.archive->failed);
    }
    report.number("peak_charge", summary.peak_charge);
    report.number("spilled_bytes", summary.spilled_bytes);
    report.flag("interrupted", summary.interrupted);
  }
  out += '\n';
  std::ofstream file(config.run_json, std::ios::binary | std::ios::trunc);
  file << out;
  file.close();
  if (!file) throw IoError(config.run_json + ": run.json cannot be written");
}

}  // namespace stoq::engine
