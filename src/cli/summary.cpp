#include "cli/summary.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/text_table.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

constexpr std::size_t most_types = 8;
constexpr std::size_t most_plugins = 5;
constexpr std::size_t widest_type = 44;

using Lines = std::vector<std::string>;

std::string seconds_of(double seconds) { return fixed(seconds, seconds < 10 ? 2 : 1) + " s"; }

std::string headline(const engine::Summary& summary) {
  const double seconds = std::max(summary.seconds, 1e-6);
  std::string line = summary.interrupted ? "Interrupted after " : "Scanned ";
  line += grouped(summary.roots) + (summary.roots == 1 ? " file, " : " files, ") +
          grouped(summary.payloads) + (summary.payloads == 1 ? " payload, " : " payloads, ") +
          support::format_size(summary.bytes) + " in " + seconds_of(summary.seconds) + " (" +
          grouped(static_cast<std::uint64_t>(static_cast<double>(summary.roots) / seconds)) +
          " files/s, " + fixed(static_cast<double>(summary.bytes) / 1e6 / seconds, 1) + " MB/s)";
  return line;
}

Lines status_lines(const engine::Summary& summary) {
  TextTable table({Align::left, Align::right});
  table.add({"Status", "payloads"});
  for (std::size_t i = 0; i < summary.statuses.size(); ++i) {
    if (summary.statuses[i] == 0) continue;
    table.add({std::string(to_string(static_cast<Status>(i))), grouped(summary.statuses[i])});
  }
  return table.lines();
}

Lines type_lines(const engine::Summary& summary) {
  if (summary.types.empty()) return {};
  TextTable table({Align::left, Align::right});
  table.add({"Type", "payloads"});
  std::uint64_t others = 0;
  for (std::size_t i = 0; i < summary.types.size(); ++i) {
    const auto& [type, count] = summary.types[i];
    if (i < most_types) {
      table.add({shown(type, widest_type), grouped(count)});
    } else {
      others += count;
    }
  }
  if (others != 0) {
    table.add({std::to_string(summary.types.size() - most_types) + " others", grouped(others)});
  }
  return table.lines();
}

Lines plugin_lines(const engine::Summary& summary) {
  TextTable table(
      {Align::left, Align::right, Align::right, Align::right, Align::right, Align::right});
  table.add({"Slowest plugins", "time", "calls", "read", "children", "errors"});
  std::size_t rows = 0;
  for (const auto& plugin : summary.plugins) {
    if (plugin.calls == 0 || rows == most_plugins) continue;
    ++rows;
    table.add({shown(plugin.name, 40), seconds_of(plugin.seconds), grouped(plugin.calls),
               support::format_size(plugin.bytes), grouped(plugin.children),
               grouped(plugin.errors)});
  }
  return rows == 0 ? Lines{} : table.lines();
}

/// An option's name from a limit's: "child_bytes" is --max-child-bytes.
std::string option_of(std::string limit) {
  std::replace(limit.begin(), limit.end(), '_', '-');
  // Not every reason has an option: a quine stops by itself, a broken container by its bytes.
  constexpr std::array options{"depth", "children",   "child-bytes",
                               "ratio", "root-bytes", "root-payloads"};
  const bool is_option = limit.ends_with("-timeout") || limit == "memory" ||
                         std::find(options.begin(), options.end(), limit) != options.end();
  if (!is_option) return limit;
  return (limit.ends_with("-timeout") || limit == "memory" ? "--" : "--max-") + limit;
}

Lines limit_lines(const engine::Summary& summary) {
  Lines lines;
  if (summary.repeated != 0) {
    lines.push_back("Equal to files scanned before, results repeated: " +
                    grouped(summary.repeated));
  }
  if (summary.archive) {
    const auto& archive = *summary.archive;
    lines.push_back("Archived: " + grouped(archive.kept) + " (" +
                    support::format_size(archive.bytes) + "), " + grouped(archive.known) +
                    " were there" +
                    (archive.failed == 0 ? "" : ", " + grouped(archive.failed) + " failed"));
  }
  if (!summary.limits.empty()) {
    std::string line = "Limits hit (payloads):";
    const char* separator = " ";
    for (const auto& [limit, count] : summary.limits) {
      line += separator + option_of(limit) + " " + grouped(count);
      separator = ", ";
    }
    lines.push_back(std::move(line));
  }
  if (summary.dropped != 0) {
    lines.push_back("Members left out by limits: " + grouped(summary.dropped) + " of " +
                    grouped(summary.declared));
  }
  if (summary.spilled_bytes != 0) {
    lines.push_back("Moved to temporary files for want of memory: " +
                    support::format_size(summary.spilled_bytes) + "; --memory SIZE grants more");
  }
  for (const auto& plugin : summary.plugins) {
    if (plugin.overran == 0) continue;
    lines.push_back(plugin.name + " did not stop when its time was up, on " +
                    grouped(plugin.overran) + (plugin.overran == 1 ? " payload" : " payloads"));
  }
  return lines;
}

/// The file that `--output` names; empty when there is none.
std::string output_path(const engine::Config& config) {
  if (config.connector != "file") return {};
  for (const auto* layer : {&config.options, &config.base_options}) {
    const auto options = layer->find("connector:file");
    if (options == layer->end()) continue;
    const auto path = options->second.find("path");
    if (path != options->second.end()) return path->second.value;
  }
  return {};
}

/// Where the rest of the answer stands, when not all is ok.
Lines hint_lines(const engine::Summary& summary, const engine::Config& config) {
  if (summary.exit_code() == 0 || config.format != engine::Format::jsonl) return {};
  const auto path = output_path(config);
  if (path.empty()) return {};
  const char* reader = path.ends_with(".gz")    ? "zcat "
                       : path.ends_with(".zst") ? "zstdcat "
                                                : "cat ";
  return {"Not ok: " + std::string(reader) + shown(path, 200) +
          R"( | jq -c 'select(.stoq.status | IN("ok","duplicate") | not)')"};
}

void append(std::string& page, const Lines& lines) {
  if (lines.empty()) return;
  page += '\n';
  for (const auto& line : lines) (page += line) += '\n';
}

}  // namespace

std::string format_summary(const engine::Summary& summary, const engine::Config& config) {
  auto page = headline(summary) + '\n';
  if (summary.payloads != 0) append(page, beside(status_lines(summary), type_lines(summary)));
  append(page, plugin_lines(summary));
  append(page, limit_lines(summary));
  append(page, hint_lines(summary, config));
  return page;
}

}  // namespace stoq::cli
