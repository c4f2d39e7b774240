#include "cli/scan_options.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/option_kinds.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

constexpr auto any_count = std::numeric_limits<std::uint64_t>::max();

/// The limiter keeps the time of so many beginnings.
constexpr std::uint64_t most_at_once = 1'000'000;

LogLevel parse_level(const std::string& text) {
  const std::vector<std::string> words{"debug", "info", "warning", "error", "critical"};
  const auto word = std::find(words.begin(), words.end(), support::lower(text));
  if (word == words.end()) {
    throw CLI::ValidationError("--log-level",
                               "'" + text + "' is none of debug, info, warning, error, critical");
  }
  return static_cast<LogLevel>(word - words.begin());
}

/// COUNT or COUNT/SECONDS; nothing when it is neither.
std::optional<engine::RateLimit> parse_rate(const std::string& text) {
  engine::RateLimit limit;
  const auto* const end = text.data() + text.size();
  const auto count = std::from_chars(text.data(), end, limit.count);
  if (count.ec != std::errc{} || limit.count == 0 || limit.count > most_at_once) return {};
  if (count.ptr == end) return limit;
  if (*count.ptr != '/') return {};
  const auto seconds = std::from_chars(count.ptr + 1, end, limit.seconds);
  const bool sound = limit.seconds > 0 && limit.seconds <= 1e9;  // no NaN
  if (seconds.ec != std::errc{} || seconds.ptr != end || !sound) return {};
  return limit;
}

/// The options of one command.
class Adding {
 public:
  Adding(CLI::App& app, Given& given, Spelling spelling)
      : app_(app), given_(given), config_(given.arguments.config), spelling_(spelling) {}

  void paths();
  void selection();
  void origin();
  void about_input();
  void plugins();
  void output();
  void form();
  void log();
  void resources();

 private:
  [[nodiscard]] const char* spelt(const char* scan, const char* worker) const {
    return spelling_ == Spelling::scan ? scan : worker;
  }
  CLI::Option* text(const char* name, const char* type, const char* help, std::string& target) {
    return add_text(app_, name, type, help,
                    [&target](const std::string& given) { target = given; });
  }
  CLI::Option* size(const char* name, const char* help, std::uint64_t& target) {
    return add_size(app_, name, help, [&target](std::uint64_t given) { target = given; });
  }
  CLI::Option* count(const char* name, std::uint64_t least, const char* help,
                     std::uint64_t& target) {
    return add_count(app_, name, least, any_count, help,
                     [&target](std::uint64_t given) { target = given; });
  }

  CLI::App& app_;
  Given& given_;
  engine::Config& config_;
  Spelling spelling_;
};

void Adding::paths() {
  auto& input = config_.input;
  if (spelling_ == Spelling::scan) {
    add_list(app_, "PATH", "", input.paths, "Files and folders to scan")->allow_extra_args(true);
  } else {
    add_list(app_, "-F,--file", "PATH", input.paths, "Scan this file or folder; repeatable")
        ->group("Input");
  }
  text("--files-from", "FILE",
       "Scan the paths listed in FILE ('-': standard input), one a line or NUL-terminated",
       input.files_from)
      ->group("Input");
}

void Adding::selection() {
  auto& input = config_.input;
  add_list(app_, "--include", "GLOB", input.include, "Only files that match; repeatable")
      ->group("Input");
  add_list(app_, "--exclude", "GLOB", input.exclude, "No files or folders that match; repeatable")
      ->group("Input");
  size("--min-size", "No files smaller than this", config_.min_size)->group("Input");
  add_size(app_, "--max-size", "No files larger than this",
           [&config = config_](std::uint64_t given) { config.max_size = given; })
      ->group("Input");
}

void Adding::origin() {
  text(spelt("-I,--source", "-I,--ingest,--source"), "NAME",
       "Where files come from: filedir, or archive to take the members of a tar, zip, … as the "
       "corpus [filedir]",
       config_.source)
      ->group("Input");
  if (spelling_ == Spelling::worker) {
    text("-Q,--queue", "NAME", "Let the source read this queue (its option 'queue')", given_.queue)
        ->group("Input");
    app_.add_flag("-E,--errors", given_.error_queue,
                  "Let the source read what failed before (its option 'error_queue')")
        ->group("Input");
  }
  add_count(
      app_, "--source-instances", 1, 64,
      "Run so many instances of the source beside each other, if it can: they share the paths",
      [&config = config_](std::uint64_t given) {
        config.source_instances = static_cast<unsigned>(given);
      })
      ->group("Input");
  add_text(app_, "--rate-limit", "N[/SECONDS]",
           "Take no more than N files in any so many seconds [1]",
           [&limit = config_.rate_limit](const std::string& text) {
             limit = parse_rate(text);
             if (!limit) {
               throw CLI::ValidationError("--rate-limit",
                                          "'" + text +
                                              "' is no rate; write 100 (a second) or 100/60 (in 60 "
                                              "seconds), up to 1000000 at once");
             }
           })
      ->group("Input");
}

void Adding::about_input() {
  add_text(app_, "--tlp", "LEVEL",
           "Traffic Light Protocol of files whose source names none: white (or clear), green, "
           "amber, red; plugins with a lower max_tlp are not shown them",
           [&tlp = config_.tlp](const std::string& word) {
             tlp = parse_tlp(word);
             if (!tlp) {
               throw CLI::ValidationError(
                   "--tlp", "'" + word + "' is none of white, clear, green, amber, red");
             }
           })
      ->group("Input");
  const bool several = spelling_ == Spelling::worker;  // no PATH stands behind them
  add_list(app_, "--metadata", several ? "KEY:VALUE ..." : "KEY:VALUE", given_.metadata,
           "Add to every file's meta, as in case:1234; repeatable")
      ->allow_extra_args(several)
      ->group("Input");
}

void Adding::plugins() {
  if (spelling_ == Spelling::scan) {
    add_list(app_, "-w,--worker", "NAME", config_.workers,
             "Run these workers, comma-separated or repeated; none: hash and unpack only "
             "[mimetype,entropy, and yara with --rules]")
        ->delimiter(',')
        ->group("Plugins");
    add_list(app_, "--rules", "FILE|DIR", given_.rules,
             "YARA rules for the worker yara: a file, a folder, or compiled rules; repeatable")
        ->group("Plugins");
  } else {
    app_.add_flag("-D,--dispatch", given_.dispatch,
                  "Open what dispatch rules know, such as archives, and scan what comes out too")
        ->group("Plugins");
  }
  add_list(app_, "--dispatch-rules", "FILE", config_.dispatch_rules,
           "More rules on which plugin opens what, beside the built-in ones; repeatable")
      ->group("Plugins");
  add_plugin_options(app_, given_);
  add_plugin_dirs(app_, given_);
  add_list(app_, "--hash", "LIST", given_.hashes,
           "Digests of every payload: md5,sha1,sha256,sha512 [sha256, always included]")
      ->delimiter(',')
      ->group("Plugins");
  add_config_file(app_, given_);
}

void Adding::output() {
  text(spelt("-o,--output", "--output"), "FILE",
       "Write results to FILE, compressed if it ends in .gz or .zst; '-' is standard output; "
       "with -C NAME, that one's path [-]",
       given_.output)
      ->group("Output");
  if (spelling_ == Spelling::worker) {
    text("-O,--outfile", "FILE", "The same, but add to what is in FILE", given_.outfile)
        ->group("Output");
  }
  text("-C,--connector", "NAME", "Hand results to this connector [stdout, or file with a FILE]",
       config_.connector)
      ->group("Output");
  text("-A,--archive", "NAME",
       "Archive files, and what dispatch rules with save bring out of them, by this connector, "
       "such as file; 'stoq get' brings them back",
       config_.archive)
      ->group("Output");
  add_text(app_, "--run-json", "FILE",
           "Write what was run, with totals and costs, to FILE [run.json beside the output]",
           [&given = given_](const std::string& path) {
             given.arguments.config.run_json = path;
             given.run_json_set = true;
           })
      ->group("Output");
}

void Adding::form() {
  text("--format", "FORMAT",
       "jsonl: a line a payload; stoq: stoQ's own shape, a line a file [jsonl]", given_.format)
      ->group("Output");
  app_.add_flag(spelt("--split", "-S,--split"), config_.split,
                "With --format stoq: a line a payload there, too")
      ->group("Output");
  text("-T,--template", "NAME",
       "Save results as text, by the template NAME of the worker (stdout.tpl, slack.tpl)",
       config_.template_name)
      ->group("Output");
  text("--text-connector", "NAME",
       "Hand that text to this connector, and results as JSON to that of --connector",
       config_.text_connector)
      ->group("Output");
  app_.add_flag("--unordered", given_.unordered,
                "Write results as they come, not in the order of the input: a little faster")
      ->group("Output");
  app_.add_flag("--timing", config_.timing, "Add times to the results (no two runs are then equal)")
      ->group("Output");
  app_.add_flag(spelt("-q,--quiet", "--quiet"), given_.quiet, "No progress, no summary")
      ->group("Output");
  app_.add_flag("--summary", given_.summary, "The summary even with --quiet")->group("Output");
}

void Adding::log() {
  auto& log = config_.log;
  add_text(app_, spelt("--log-level", "-L,--loglevel,--log-level"), "LEVEL",
           "Log what matters so much: debug, info, warning, error, critical "
           "[warning, in the file info]",
           [&log](const std::string& word) { log.level = parse_level(word); })
      ->group("Log");
  text("--log-file", "FILE", "Log to FILE too, besides standard error", log.file)->group("Log");
  add_size(app_, "--log-max-size", "The file is renamed once it would be larger [1.5 MB]",
           [&log](std::uint64_t given) {
             if (given == 0) throw CLI::ValidationError("--log-max-size", "must not be 0");
             log.max_bytes = given;
           })
      ->group("Log");
  add_count(app_, "--log-count", 0, 1000, "So many renamed ones are kept [5]",
            [&log](std::uint64_t given) { log.count = given; })
      ->group("Log");
}

void Adding::resources() {
  auto& limits = config_.limits;
  add_count(
      app_, spelt("-j,--threads", "-M,--max-processes,--threads"), 0, 4096,
      "Threads that scan [one per processor]",
      [&threads = config_.threads](std::uint64_t given) { threads = static_cast<unsigned>(given); })
      ->group("Limits");
  size("--memory", "Bytes in flight at most [25 % of RAM]", limits.memory)->group("Limits");
  count(spelt("--max-depth", "-R,--max_recursion,--max-depth"), 0,
        "Layers opened below a file [16]", limits.max_depth)
      ->group("Limits");
  count("--max-children", 0, "Members taken out of one payload [100000]", limits.max_children)
      ->group("Limits");
  size("--max-child-bytes", "Size of one member [256M]", limits.max_child_bytes)->group("Limits");
  count("--max-ratio", 1, "Output of one payload, as a multiple of its size [1000]",
        limits.max_ratio)
      ->group("Limits");
  size("--max-ratio-floor", "Output that no ratio forbids [16M]", limits.max_ratio_floor)
      ->group("Limits");
  size("--max-root-bytes", "Everything taken out of one file [8G]", limits.max_root_bytes)
      ->group("Limits");
  count("--max-root-payloads", 0, "Payloads taken out of one file [1000000]",
        limits.max_root_payloads)
      ->group("Limits");
  add_seconds(app_, "--plugin-timeout", limits.plugin_timeout, "One plugin on one payload [60]")
      ->group("Limits");
  add_seconds(app_, "--root-timeout", limits.root_timeout, "One file with all in it [600]")
      ->group("Limits");
}

}  // namespace

void add_plugin_dirs(CLI::App& app, Given& given) {
  add_list(app, "--plugin-dir", "DIR", given.arguments.config.plugin_dirs,
           "Look for plugins here first; repeatable ($STOQ_PLUGIN_PATH: colon-separated)")
      ->group("Plugins");
}

void add_plugin_options(CLI::App& app, Given& given) {
  add_list(app, "--option", "PLUGIN.KEY=VALUE", given.plugin_options,
           "Set a plugin's option ('stoq info PLUGIN' lists them); repeatable")
      ->group("Plugins");
}

void add_config_file(CLI::App& app, Given& given) {
  add_text(app, "--config", "FILE",
           "Read stoq.cfg options from FILE; the command line wins [$STOQ_CONFIG, or stoq.cfg "
           "beside the program, in ~/.config/stoq, in etc/stoq of the installation, in /etc/stoq]",
           [&given](const std::string& path) { given.config_file = path; })
      ->group("Plugins");
}

void add_cron(CLI::App& app, Given& given) {
  add_seconds(app, "--cron", given.arguments.cron,
              "Scan again so long after each run, until SIGINT or SIGTERM; files are added to")
      ->group("Input");
}

void add_scan_options(CLI::App& app, Given& given, Spelling spelling) {
  Adding add(app, given, spelling);
  add.paths();
  add.selection();
  add.origin();
  add.about_input();
  add.plugins();
  add.output();
  add.form();
  add.log();
  add.resources();
}

}  // namespace stoq::cli
