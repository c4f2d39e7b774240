#include "cli/bench_output.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include <sys/resource.h>

#include "cli/text_table.hpp"
#include "support/json.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

constexpr std::size_t wide_from = 120;
constexpr std::size_t most_formats = 20;
constexpr std::size_t widest_name = 40;
constexpr std::size_t narrowest_name = 12;
constexpr std::size_t narrowest_path = 20;

std::string time_of(double seconds) {
  if (seconds == 0) return "0";
  if (seconds < 1e-3) return fixed(seconds * 1e6, seconds < 1e-4 ? 1 : 0) + " µs";
  if (seconds < 1) return fixed(seconds * 1e3, seconds < 1e-1 ? 1 : 0) + " ms";
  return fixed(seconds, seconds < 10 ? 2 : 1) + " s";
}

std::string in_unit(double value, Unit unit) {
  const auto whole = static_cast<std::uint64_t>(std::llround(std::max(value, 0.0)));
  switch (unit) {
    case Unit::count:
    case Unit::rate:
      return grouped(whole);
    case Unit::bytes:
      return support::format_size(whole);
    case Unit::seconds:
      return time_of(value);
    case Unit::share:
      return fixed(value * 100, 1) + " %";
    case Unit::megabytes:
      return fixed(value / 1e6, 1);
  }
  return {};
}

std::string plus_minus(const Figure& figure) { return "±" + fixed(figure.spread() * 100, 0) + "%"; }

/// "1.234 s (1.200 … 1.300)".
std::string in_words(const FigureTable& table, std::string_view key, Unit unit) {
  const auto& figure = table.first(key);
  const auto low = in_unit(figure.least(), unit);
  const auto high = in_unit(figure.greatest(), unit);
  const auto middle = in_unit(figure.median(), unit);
  return low == high ? middle : middle + " (" + low + " … " + high + ")";
}

bool is_shown(const Column& column, std::size_t width) {
  return column.heading != nullptr && (!column.wide || width >= wide_from);
}

/// As lines, names cut to `widest`.
std::vector<std::string> lines_of(const FigureTable& table, std::string_view title,
                                  std::size_t width, std::size_t rows, std::size_t widest) {
  std::vector<std::string> cells{std::string(title)};
  for (const auto& column : table.columns()) {
    if (!is_shown(column, width)) continue;
    cells.emplace_back(column.heading);
    if (column.spread) cells.emplace_back();
  }
  std::vector<Align> aligned(cells.size(), Align::right);
  aligned.front() = Align::left;
  TextTable text(std::move(aligned));
  text.add(std::move(cells));
  for (std::size_t at = 0; at < rows; ++at) {
    const auto& row = table.rows()[at];
    cells = {shown(row.names.front(), widest)};
    for (std::size_t i = 0; i < table.columns().size(); ++i) {
      const auto& column = table.columns()[i];
      if (!is_shown(column, width)) continue;
      cells.push_back(in_unit(row.figures[i].median(), column.unit));
      if (column.spread) cells.push_back(plus_minus(row.figures[i]));
    }
    text.add(std::move(cells));
  }
  return text.lines();
}

std::size_t widest_of(const std::vector<std::string>& lines) {
  std::size_t widest = 0;
  for (const auto& line : lines) widest = std::max(widest, width_of(line));
  return widest;
}

void append(std::string& page, const FigureTable& table, std::string_view title, std::size_t width,
            std::size_t most_rows) {
  if (table.rows().empty()) return;
  const auto rows = std::min(table.rows().size(), most_rows);
  auto lines = lines_of(table, title, width, rows, widest_name);
  if (const auto widest = widest_of(lines); widest > width) {
    std::size_t names = 0;
    for (std::size_t i = 0; i < rows; ++i) {
      names = std::max(names, width_of(shown(table.rows()[i].names.front(), widest_name)));
    }
    const auto over = widest - width;
    lines = lines_of(table, title, width, rows,
                     names > over + narrowest_name ? names - over : narrowest_name);
  }
  page += '\n';
  for (const auto& line : lines) (page += line) += '\n';
  if (table.rows().size() > rows) {
    page += std::to_string(table.rows().size() - rows) + " more with less CPU; --json has all\n";
  }
}

/// The path last, in what room the others leave: its end tells more than its beginning.
void append_slowest(std::string& page, const FigureTable& table, std::size_t width) {
  if (table.rows().empty()) return;
  TextTable text({Align::right, Align::right, Align::right, Align::right, Align::left});
  text.add({"CPU", "", "wall", "size", "Slowest calls"});
  for (const auto& row : table.rows()) {
    text.add({in_unit(row.figures[0].median(), Unit::seconds), plus_minus(row.figures[0]),
              in_unit(row.figures[1].median(), Unit::seconds),
              in_unit(row.figures[2].median(), Unit::bytes), row.names[0]});
  }
  auto lines = text.lines();
  const auto left = widest_of(lines);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto path = shown(table.rows()[i - 1].names[2], 0);
    const auto room = std::max(width > left + 3 ? width - left - 3 : 0, narrowest_path);
    const auto length = width_of(path);
    auto from = path.size();
    for (std::size_t kept = 0; length > room && from > 0 && kept + 1 < room; ++kept) {
      do --from;
      while (from > 0 && (static_cast<unsigned char>(path[from]) & 0xC0U) == 0x80U);
    }
    lines[i].append(left - width_of(lines[i]) + 2, ' ');
    lines[i] += length > room ? "…" + path.substr(from) : path;
  }
  page += '\n';
  for (const auto& line : lines) (page += line) += '\n';
}

std::string headline(const BenchFigures& figures) {
  const auto& run = figures.run;
  const auto runs = std::to_string(figures.runs) + (figures.runs == 1 ? " run" : " runs");
  TextTable table({Align::left, Align::left});
  table.add({"Corpus", in_words(run, "files", Unit::count) + " files, " +
                           in_words(run, "payloads", Unit::count) + " payloads, " +
                           in_words(run, "bytes", Unit::bytes)});
  table.add({"Wall", in_words(run, "wall_seconds", Unit::seconds)});
  table.add({"CPU", in_words(run, "cpu_seconds", Unit::seconds) + ", by getrusage"});
  table.add({"MB/s", in_words(run, "bytes_per_second", Unit::megabytes)});
  table.add({"Files/s", in_words(run, "files_per_second", Unit::rate)});
  table.add({"Payloads/s", in_words(run, "payloads_per_second", Unit::rate)});
  table.add({"Engine", in_words(run, "engine_share", Unit::share) + " of CPU, " +
                           in_words(run, "engine_cpu_seconds", Unit::seconds)});
  table.add({"Accounts", in_words(run, "accounts_share", Unit::share) + " of getrusage"});
  std::string page = runs + (figures.runs == 1 ? "" : "; medians (least … greatest)") + '\n';
  for (const auto& line : table.lines()) (page += line) += '\n';
  return page;
}

void append_figure(std::string& out, const Figure& figure, Unit unit) {
  if (unit == Unit::count || unit == Unit::bytes) {
    support::append_json_number(out, static_cast<std::uint64_t>(std::llround(figure.median())));
    return;
  }
  support::JsonObject object(out);
  support::append_json_number(object.key("median"), figure.median());
  support::append_json_number(object.key("min"), figure.least());
  support::append_json_number(object.key("max"), figure.greatest());
}

void append_table(support::JsonObject& object, const FigureTable& table) {
  auto& out = object.key(table.key()) += '[';
  for (const auto& row : table.rows()) {
    out += out.back() == '[' ? "\n" : ",\n";
    support::JsonObject members(out);
    for (std::size_t i = 0; i < table.names().size(); ++i) {
      members.text(table.names()[i], row.names[i]);
    }
    for (std::size_t i = 0; i < table.columns().size(); ++i) {
      append_figure(members.key(table.columns()[i].key), row.figures[i], table.columns()[i].unit);
    }
  }
  out += "]\n";
}

}  // namespace

std::string format_bench(const BenchFigures& figures, std::size_t width) {
  auto page = headline(figures);
  append(page, figures.nodes, "Node", width, SIZE_MAX);
  append(page, figures.plugins, "Plugin", width, SIZE_MAX);
  append(page, figures.formats, "Format", width, most_formats);
  append_slowest(page, figures.slowest, width);
  return page;
}

std::string bench_json(const BenchFigures& figures, const engine::Config& config) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  std::string out;
  {
    support::JsonObject object(out);
    object.number("schema", 1);
    object.text("version", STOQ_VERSION);
    auto& paths = object.key("paths") += '[';
    for (const auto& path : config.input.paths) {
      if (paths.back() != '[') paths += ',';
      support::append_json_string(paths, path);
    }
    paths += ']';
    object.number("threads", config.threads);
    object.number("repeat", figures.runs);
    object.number("peak_rss_bytes", static_cast<std::uint64_t>(usage.ru_maxrss) * 1024);
    for (const auto* table : {&figures.run, &figures.nodes, &figures.plugins, &figures.formats,
                              &figures.plugins_by_format, &figures.slowest}) {
      append_table(object, *table);
    }
  }
  return out + '\n';
}

}  // namespace stoq::cli
