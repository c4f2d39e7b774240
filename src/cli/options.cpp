#include "cli/options.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "cli/help_texts.hpp"
#include "cli/option_kinds.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

/// CLI11's help, its descriptions wrapped to a terminal of 80 columns.
class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { column_width(description_column); }

  std::string make_option_opts(const CLI::Option* option) const override {
    const auto type = option->get_type_name();
    return type.empty() ? "" : " " + type;
  }
  std::string make_option_desc(const CLI::Option* option) const override {
    std::string wrapped;
    std::size_t column = 0;
    std::istringstream words(option->get_description());
    for (std::string word; words >> word;) {
      if (column != 0 && column + 1 + word.size() > screen_columns - description_column) {
        wrapped += '\n';
        column = 0;
      }
      if (column != 0) wrapped += ' ';
      column += (column != 0 ? 1 : 0) + word.size();
      wrapped += word;
    }
    return wrapped;
  }

 private:
  static constexpr std::size_t description_column = 31;
  static constexpr std::size_t screen_columns = 80;
};

void add_plugin_dirs(CLI::App& app, Given& given) {
  add_list(app, "--plugin-dir", "DIR", given.arguments.config.plugin_dirs,
           "Look for plugins here first; repeatable ($STOQ_PLUGIN_PATH: colon-separated)")
      ->group("Plugins");
}

LogLevel parse_level(const std::string& text) {
  const std::vector<std::string> words{"debug", "info", "warning", "error", "critical"};
  const auto word = std::find(words.begin(), words.end(), support::lower(text));
  if (word == words.end()) {
    throw CLI::ValidationError("--log-level",
                               "'" + text + "' is none of debug, info, warning, error, critical");
  }
  return static_cast<LogLevel>(word - words.begin());
}

void add_plugin_options(CLI::App& app, Given& given) {
  add_list(app, "--option", "PLUGIN.KEY=VALUE", given.plugin_options,
           "Set a plugin's option ('stoq info PLUGIN' lists them); repeatable")
      ->group("Plugins");
}

void add_input(CLI::App& app, Given& given) {
  auto& config = given.arguments.config;
  add_list(app, "PATH", "", config.input.paths, "Files and folders to scan")
      ->allow_extra_args(true);
  add_text(app, "--files-from", "FILE",
           "Scan the paths listed in FILE ('-': standard input), "
           "one a line or NUL-terminated",
           [&config](const std::string& text) { config.input.files_from = text; })
      ->group("Input");
  add_list(app, "--include", "GLOB", config.input.include, "Only files that match; repeatable")
      ->group("Input");
  add_list(app, "--exclude", "GLOB", config.input.exclude,
           "No files or folders that match; repeatable")
      ->group("Input");
  add_size(app, "--min-size", "No files smaller than this", [&config](std::uint64_t size) {
    config.min_size = size;
  })->group("Input");
  add_size(app, "--max-size", "No files larger than this", [&config](std::uint64_t size) {
    config.max_size = size;
  })->group("Input");
  add_text(app, "-I,--source", "NAME",
           "Where files come from: filedir, or archive to take the "
           "members of a tar, zip, … as the corpus [filedir]",
           [&config](const std::string& name) { config.source = name; })
      ->group("Input");
  add_text(app, "--tlp", "LEVEL",
           "Traffic Light Protocol of files whose source names none: white (or clear), green, "
           "amber, red; plugins with a lower max_tlp are not shown them",
           [&config](const std::string& word) {
             config.tlp = parse_tlp(word);
             if (!config.tlp) {
               throw CLI::ValidationError(
                   "--tlp", "'" + word + "' is none of white, clear, green, amber, red");
             }
           })
      ->group("Input");
  add_list(app, "--metadata", "KEY:VALUE", given.metadata,
           "Add to every file's meta, as in case:1234; repeatable")
      ->group("Input");
}

void add_plugins(CLI::App& app, Given& given) {
  auto& config = given.arguments.config;
  add_list(app, "-w,--worker", "NAME", config.workers,
           "Run these workers, comma-separated or repeated; none: hash and unpack only "
           "[mimetype,entropy, and yara with --rules]")
      ->delimiter(',')
      ->group("Plugins");
  add_list(app, "--rules", "FILE|DIR", given.rules,
           "YARA rules for the worker yara: a file, a folder, or compiled rules; repeatable")
      ->group("Plugins");
  add_list(app, "--dispatch-rules", "FILE", config.dispatch_rules,
           "More rules on which plugin opens what, beside the built-in ones; repeatable")
      ->group("Plugins");
  add_plugin_options(app, given);
  add_plugin_dirs(app, given);
  add_list(app, "--hash", "LIST", given.hashes,
           "Digests of every payload: md5,sha1,sha256,sha512 [sha256, always included]")
      ->delimiter(',')
      ->group("Plugins");
}

void add_output(CLI::App& app, Given& given) {
  auto& config = given.arguments.config;
  add_text(app, "-o,--output", "FILE",
           "Write results to FILE, compressed if it ends in .gz or "
           ".zst; '-' is standard output; with -C NAME, that one's path [-]",
           [&given](const std::string& path) { given.output = path; })
      ->group("Output");
  add_text(app, "-C,--connector", "NAME",
           "Hand results to this connector [stdout, or file with -o]",
           [&config](const std::string& name) { config.connector = name; })
      ->group("Output");
  add_text(app, "-A,--archive", "NAME",
           "Archive files, and what dispatch rules with save bring out of them, by "
           "this connector, such as file; 'stoq get' brings them back",
           [&config](const std::string& name) { config.archive = name; })
      ->group("Output");
  add_text(app, "--format", "FORMAT",
           "jsonl: a line a payload; stoq: stoQ's own shape, a line a "
           "file [jsonl]",
           [&given](const std::string& name) { given.format = name; })
      ->group("Output");
  add_text(app, "-T,--template", "NAME",
           "Save results as text, by the template NAME of the worker (stdout.tpl, slack.tpl)",
           [&config](const std::string& name) { config.template_name = name; })
      ->group("Output");
  add_text(app, "--run-json", "FILE",
           "Write what was run, with totals and costs, to FILE "
           "[run.json beside the output]",
           [&given](const std::string& path) {
             given.arguments.config.run_json = path;
             given.run_json_set = true;
           })
      ->group("Output");
  app.add_flag("--unordered", given.unordered,
               "Write results as they come, not in the order of "
               "the input: a little faster")
      ->group("Output");
  app.add_flag("--timing", config.timing, "Add times to the results (no two runs are then equal)")
      ->group("Output");
  app.add_flag("-q,--quiet", given.quiet, "No progress, no summary")->group("Output");
  app.add_flag("--summary", given.summary, "The summary even with --quiet")->group("Output");
}

void add_log(CLI::App& app, Given& given) {
  auto& log = given.arguments.config.log;
  add_text(app, "--log-level", "LEVEL",
           "Log what matters so much: debug, info, warning, error, critical "
           "[warning, in the file info]",
           [&log](const std::string& word) { log.level = parse_level(word); })
      ->group("Log");
  add_text(app, "--log-file", "FILE", "Log to FILE too, besides standard error",
           [&log](const std::string& path) { log.file = path; })
      ->group("Log");
  add_size(app, "--log-max-size", "The file is renamed once it would be larger [1.5 MB]",
           [&log](std::uint64_t size) {
             if (size == 0) throw CLI::ValidationError("--log-max-size", "must not be 0");
             log.max_bytes = size;
           })
      ->group("Log");
  add_count(app, "--log-count", 0, 1000, "So many renamed ones are kept [5]",
            [&log](std::uint64_t count) { log.count = count; })
      ->group("Log");
}

void add_resources(CLI::App& app, Given& given) {
  constexpr auto any = std::numeric_limits<std::uint64_t>::max();
  auto& config = given.arguments.config;
  auto& limits = config.limits;
  const auto into = [](std::uint64_t& target) {
    return [&target](std::uint64_t number) { target = number; };
  };
  add_count(app, "-j,--threads", 0, 4096, "Threads that scan [one per processor]",
            [&config](std::uint64_t count) { config.threads = static_cast<unsigned>(count); });
  add_size(app, "--memory", "Bytes in flight at most [25 % of RAM]", into(limits.memory));
  add_count(app, "--max-depth", 0, any, "Layers opened below a file [16]", into(limits.max_depth));
  add_count(app, "--max-children", 0, any, "Members taken out of one payload [100000]",
            into(limits.max_children));
  add_size(app, "--max-child-bytes", "Size of one member [256M]", into(limits.max_child_bytes));
  add_count(app, "--max-ratio", 1, any, "Output of one payload, as a multiple of its size [1000]",
            into(limits.max_ratio));
  add_size(app, "--max-ratio-floor", "Output that no ratio forbids [16M]",
           into(limits.max_ratio_floor));
  add_size(app, "--max-root-bytes", "Everything taken out of one file [8G]",
           into(limits.max_root_bytes));
  add_count(app, "--max-root-payloads", 0, any, "Payloads taken out of one file [1000000]",
            into(limits.max_root_payloads));
  add_seconds(app, "--plugin-timeout", limits.plugin_timeout, "One plugin on one payload [60]");
  add_seconds(app, "--root-timeout", limits.root_timeout, "One file with all in it [600]");
  for (auto* option : app.get_options()) {
    if (option->get_group() == "Options" && !option->get_lnames().empty() &&
        option->get_lnames().front() != "help") {
      option->group("Limits");
    }
  }
}

void add_config_file(CLI::App& app, Given& given) {
  add_text(app, "--config", "FILE",
           "Read stoq.cfg options from FILE; the command line wins [$STOQ_CONFIG, or stoq.cfg "
           "beside the program, in ~/.config/stoq, in etc/stoq of the installation, in /etc/stoq]",
           [&given](const std::string& path) { given.config_file = path; })
      ->group("Plugins");
}

void add_bench_options(CLI::App& app, Given& given) {
  auto& arguments = given.arguments;
  const auto count = [&](const char* name, std::uint64_t least, const char* help,
                         unsigned& target) {
    add_count(app, name, least, 1000, help, [&target](std::uint64_t number) {
      target = static_cast<unsigned>(number);
    })->group("Benchmark");
  };
  count("--repeat", 1, "Measured runs: the median of each figure, least and greatest [3]",
        arguments.repeat);
  count("--warm-up", 0, "Runs before them, not counted [1]", arguments.warm_up);
  arguments.config.slowest = 10;
  add_count(app, "--slowest", 0, 1000, "List so many slowest calls of a plugin [10]",
            [&arguments](std::uint64_t number) { arguments.config.slowest = number; })
      ->group("Benchmark");
  add_text(app, "--json", "FILE", "Write every figure to FILE as JSON; '-' is standard output",
           [&arguments](const std::string& path) { arguments.json = path; })
      ->group("Benchmark");
}

void add_get(CLI::App& app, Given& given) {
  auto& arguments = given.arguments;
  const auto add_word = [&](const char* name, const char* help, std::string& target) {
    app.add_option_function<std::string>(
           name, [&target](const std::string& text) { target = unmark_argument(text); }, help)
        ->required();
  };
  add_word("CONNECTOR", "Which one, such as file", arguments.plugin);
  add_word("HASH|PATH", "SHA-256 of the file (40 digits: SHA-1), or its path", arguments.file);
  add_text(app, "-o,--output", "FILE", "Write it to FILE; '-' is standard output [-]",
           [&arguments](const std::string& path) { arguments.output = path; });
  add_plugin_options(app, given);
  add_plugin_dirs(app, given);
  add_config_file(app, given);
}

void add_scan_options(CLI::App& app, Given& given) {
  add_input(app, given);
  add_plugins(app, given);
  add_config_file(app, given);
  add_output(app, given);
  add_log(app, given);
  add_resources(app, given);
}

}  // namespace

void set_up_options(CLI::App& app, Given& given) {
  app.set_version_flag("-V,--version", "stoq " STOQ_VERSION);
  app.set_help_flag("-h,--help", "This help");
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(1);
  app.footer(top_footer);
  const auto add = [&](Command command, const char* name, const char* help) {
    auto* sub = app.add_subcommand(name, help);
    sub->set_help_flag("-h,--help", "This help");
    sub->callback([&given, command] { given.arguments.command = command; });
    return sub;
  };
  auto* scan = add(Command::scan, "scan", "Scan files and folders, and all that is packed in them");
  add_scan_options(*scan, given);
  scan->footer(scan_footer);
  auto* bench = add(Command::bench, "bench", "Measure what plugins cost on files of yours");
  add_bench_options(*bench, given);
  add_scan_options(*bench, given);
  bench->footer(bench_footer);
  auto* graph = add(Command::graph, "graph", "Print the graph a scan would run, as DOT");
  add_scan_options(*graph, given);
  graph->footer(
      "Takes every option of 'stoq scan'.\n\nExample:\n"
      "  stoq graph --rules my.yar | dot -Tsvg > graph.svg");
  auto* list = add(Command::list, "list", "List the plugins found");
  add_plugin_dirs(*list, given);
  add_config_file(*list, given);
  auto* info = add(Command::info, "info", "Describe a plugin and its options");
  info->add_option("PLUGIN", given.arguments.plugin, "Its name: yara, or worker:yara")->required();
  add_plugin_options(*info, given);
  add_plugin_dirs(*info, given);
  add_config_file(*info, given);
  auto* get = add(Command::get, "get", "Bring back what a connector archived");
  add_get(*get, given);
  get->footer(get_footer);
  auto* schema = add(Command::schema, "schema", "Print the JSON Schema of a line of results");
  schema->add_flag("--duckdb", given.arguments.duckdb, "Print a DuckDB statement that reads them");
}

}  // namespace stoq::cli
