#include "cli/bench_figures.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "engine/stage.hpp"

namespace stoq::cli {
namespace {

using engine::Activity;

constexpr std::array<Column, 5> call_columns{{
    {"cpu_p50_seconds", "p50", Unit::seconds},
    {"cpu_p99_seconds", "p99", Unit::seconds},
    {"wall_p50_seconds", "wall p50", Unit::seconds, true},
    {"wall_p99_seconds", "wall p99", Unit::seconds, true},
    {"wall_seconds", "wall", Unit::seconds, true},
}};

std::vector<Column> with_call_columns(std::vector<Column> columns) {
  columns.insert(columns.end(), call_columns.begin(), call_columns.end());
  return columns;
}

double seconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }
double seconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }
double number(std::uint64_t value) { return static_cast<double>(value); }
double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

std::int64_t sum_cpu(const engine::Accounts& accounts) {
  std::int64_t sum = 0;
  for (const auto& one : accounts.activities) sum += one.cpu;
  for (const auto& one : accounts.calls) sum += one.cost.cpu;
  return sum;
}

/// The activity around a plugin's calls.
Activity activity_of(std::string_view qualified) {
  const auto category = qualified.substr(0, qualified.find(':'));
  for (const auto known : {Category::decoder, Category::extractor, Category::carver}) {
    if (category == to_string(known)) return engine::activity_of(known);
  }
  return Activity::scan;
}

void add_percentiles(std::vector<double>& values, const support::Histogram& cpu,
                     const support::Histogram& wall, engine::Cost cost) {
  for (const auto* times : {&cpu, &wall}) {
    for (const double share : {0.5, 0.99}) values.push_back(seconds(times->percentile(share)));
  }
  values.push_back(seconds(cost.wall));
}

}  // namespace

// --- Figures ----------------------------------------------------------------------------------

double Figure::median() const {
  if (values_.empty()) return 0;
  auto sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const auto half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : std::midpoint(sorted[half - 1], sorted[half]);
}

double Figure::least() const {
  return values_.empty() ? 0 : *std::min_element(values_.begin(), values_.end());
}

double Figure::greatest() const {
  return values_.empty() ? 0 : *std::max_element(values_.begin(), values_.end());
}

double Figure::spread() const { return ratio((greatest() - least()) / 2, median()); }

void FigureTable::add(std::vector<std::string> names, const std::vector<double>& values) {
  const auto [place, fresh] = places_.try_emplace(names, rows_.size());
  if (fresh) rows_.push_back({std::move(names), std::vector<Figure>(columns_.size())});
  auto& figures = rows_[place->second].figures;
  for (std::size_t i = 0; i < figures.size(); ++i) figures[i].add(values.at(i));
}

void FigureTable::sort() {
  std::stable_sort(rows_.begin(), rows_.end(), [](const auto& a, const auto& b) {
    return a.figures.front().median() > b.figures.front().median();
  });
  places_.clear();
}

void FigureTable::cut(std::size_t rows) {
  if (rows_.size() > rows) rows_.resize(rows);
}

const Figure& FigureTable::first(std::string_view column) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (column == columns_[i].key) return rows_.at(0).figures[i];
  }
  throw std::logic_error("no such column");
}

// --- Tables -----------------------------------------------------------------------------------

BenchFigures::BenchFigures()
    : run("run", {},
          {{"wall_seconds", nullptr, Unit::seconds},
           {"cpu_seconds", nullptr, Unit::seconds},
           {"files", nullptr, Unit::count},
           {"payloads", nullptr, Unit::count},
           {"bytes", nullptr, Unit::bytes},
           {"files_per_second", nullptr, Unit::rate},
           {"payloads_per_second", nullptr, Unit::rate},
           {"bytes_per_second", nullptr, Unit::megabytes},
           {"accounts_cpu_seconds", nullptr, Unit::seconds},
           {"accounts_share", nullptr, Unit::share},
           {"engine_cpu_seconds", nullptr, Unit::seconds},
           {"engine_share", nullptr, Unit::share}}),
      nodes("nodes", {"node"},
            {{"cpu_seconds", "CPU", Unit::seconds, false, true},
             {"cpu_share", "share", Unit::share},
             {"engine_cpu_seconds", "engine", Unit::seconds},
             {"engine_share", "share", Unit::share},
             {"wall_seconds", "wall", Unit::seconds}}),
      plugins("plugins", {"plugin"},
              with_call_columns({{"cpu_seconds", "CPU", Unit::seconds, false, true},
                                 {"cpu_share", "share", Unit::share},
                                 {"calls", "calls", Unit::count},
                                 {"bytes_per_second", "MB/s", Unit::megabytes},
                                 {"calls_per_second", "calls/s", Unit::rate, true},
                                 {"bytes", "in", Unit::bytes, true},
                                 {"bytes_out", "out", Unit::bytes, true},
                                 {"children", nullptr, Unit::count},
                                 {"errors", nullptr, Unit::count}})),
      formats("formats", {"format"},
              with_call_columns({{"cpu_seconds", "CPU", Unit::seconds, false, true},
                                 {"cpu_share", "share", Unit::share},
                                 {"payloads", "payloads", Unit::count},
                                 {"bytes_per_second", "MB/s", Unit::megabytes},
                                 {"payloads_per_second", "payloads/s", Unit::rate, true},
                                 {"bytes", "in", Unit::bytes, true},
                                 {"bytes_out", "out", Unit::bytes, true}})),
      plugins_by_format("plugins_by_format", {"plugin", "format"},
                        {{"cpu_seconds", nullptr, Unit::seconds},
                         {"calls", nullptr, Unit::count},
                         {"bytes", nullptr, Unit::bytes},
                         {"bytes_per_second", nullptr, Unit::megabytes},
                         {"wall_seconds", nullptr, Unit::seconds}}),
      slowest("slowest", {"plugin", "format", "path"},
              {{"cpu_seconds", "CPU", Unit::seconds, false, true},
               {"wall_seconds", "wall", Unit::seconds},
               {"bytes", "size", Unit::bytes}}) {}

void BenchFigures::add(const engine::Summary& summary) {
  ++runs;
  const auto& accounts = summary.accounts.value();
  const double all = seconds(sum_cpu(accounts));
  std::vector<engine::Cost> in_plugins(engine::activity_count);
  for (std::size_t i = 0; i < accounts.calls.size(); ++i) {
    in_plugins[static_cast<std::size_t>(activity_of(summary.plugin_names[i]))] +=
        accounts.calls[i].cost;
  }
  double engine = 0;
  for (std::size_t i = 0; i < engine::activity_count; ++i) {
    const auto activity = static_cast<Activity>(i);
    const auto& around = accounts.activities[i];
    const double own = is_engine(activity) ? seconds(around.cpu) : 0;
    engine += own;
    auto both = around;
    both += in_plugins[i];
    nodes.add({std::string(to_string(activity))}, {seconds(both.cpu), ratio(seconds(both.cpu), all),
                                                   own, ratio(own, all), seconds(both.wall)});
  }
  run.add({},
          {summary.seconds, summary.cpu_seconds, number(summary.roots), number(summary.payloads),
           number(summary.bytes), ratio(number(summary.roots), summary.seconds),
           ratio(number(summary.payloads), summary.seconds),
           ratio(number(summary.bytes), summary.seconds), all, ratio(all, summary.cpu_seconds),
           engine, ratio(engine, all)});
  for (const auto& plugin : summary.plugins) {
    const auto found =
        std::find(summary.plugin_names.begin(), summary.plugin_names.end(), plugin.name);
    const auto& account =
        accounts.calls.at(static_cast<std::size_t>(found - summary.plugin_names.begin()));
    const double cpu = seconds(account.cost.cpu);
    std::vector<double> values{cpu,
                               ratio(cpu, all),
                               number(plugin.calls),
                               ratio(number(plugin.bytes), cpu),
                               ratio(number(plugin.calls), cpu),
                               number(plugin.bytes),
                               number(plugin.out),
                               number(plugin.children),
                               number(plugin.errors)};
    add_percentiles(values, account.cpu, account.wall, account.cost);
    plugins.add({plugin.name}, values);
  }
  for (const auto& [name, format] : accounts.formats) {
    const double cpu = seconds(format.cost.cpu);
    std::vector<double> values{cpu,
                               ratio(cpu, all),
                               number(format.payloads),
                               ratio(number(format.bytes), cpu),
                               ratio(number(format.payloads), cpu),
                               number(format.bytes),
                               number(format.out)};
    add_percentiles(values, format.cpu, format.wall, format.cost);
    formats.add({name}, values);
    for (std::size_t i = 0; i < format.calls.size(); ++i) {
      const auto& share = format.calls[i];
      const double of_plugin = seconds(share.cost.cpu);
      if (share.calls == 0 && share.cost.cpu == 0) continue;
      plugins_by_format.add({summary.plugin_names[i], name},
                            {of_plugin, number(share.calls), number(share.bytes),
                             ratio(number(share.bytes), of_plugin), seconds(share.cost.wall)});
    }
  }
  for (const auto& call : accounts.slowest) {
    slowest.add({summary.plugin_names[call.plugin], call.format, call.path},
                {seconds(call.cost.cpu), seconds(call.cost.wall), number(call.bytes)});
  }
}

void BenchFigures::finish(std::size_t slowest_rows) {
  for (auto* table : {&plugins, &formats, &plugins_by_format, &slowest}) table->sort();
  slowest.cut(slowest_rows);
}

}  // namespace stoq::cli
