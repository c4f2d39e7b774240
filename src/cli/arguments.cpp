#include "cli/arguments.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "cli/config_file.hpp"
#include "cli/option_kinds.hpp"
#include "cli/options.hpp"
#include "cli/worker_command.hpp"
#include "support/text.hpp"

namespace stoq::cli {
namespace {

constexpr std::array<std::string_view, 4> hash_names{"md5", "sha1", "sha256", "sha512"};

void parse_plugin_option(const std::string& text, const std::string& place,
                         engine::PluginOptions& options) {
  const auto equals = text.find('=');
  const auto dot = text.find('.');
  if (equals == text.npos || dot == text.npos || dot == 0 || dot + 1 >= equals) {
    throw UsageError(place + ": '" + text +
                     "' is not PLUGIN.KEY=VALUE, such as "
                     "yara.timeout=10");
  }
  const auto key = support::lower(text.substr(dot + 1, equals - dot - 1));
  options[text.substr(0, dot)][key] = {text.substr(equals + 1), place};
}

void set_metadata(const std::vector<std::string>& texts, engine::Config& config) {
  for (const auto& text : texts) {
    const auto colon = text.find(':');
    if (colon == 0 || colon == text.npos) {
      throw UsageError("--metadata: '" + text + "' is not KEY:VALUE, such as case:1234");
    }
    config.metadata.emplace_back(text.substr(0, colon), text.substr(colon + 1));
  }
}

/// Blanks around a list's items are no part of them: `a, b` is `a,b`.
void trim(std::string& text) {
  text.erase(text.find_last_not_of(" \t") + 1);
  text.erase(0, text.find_first_not_of(" \t"));
}

void set_hashes(std::vector<std::string>& names, engine::Digests& digests) {
  const std::vector<std::string> known(hash_names.begin(), hash_names.end());
  for (auto& name : names) {
    trim(name);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      const auto near = support::nearest(name, known);
      throw UsageError("--hash: '" + name + "' is none of md5, sha1, sha256, sha512" +
                       (near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
    digests.md5 = digests.md5 || name == "md5";
    digests.sha1 = digests.sha1 || name == "sha1";
    digests.sha512 = digests.sha512 || name == "sha512";
  }
}

/// "worker:yara" is "yara" where only workers can be meant.
void strip_category(std::string& name, std::string_view category) {
  if (name.starts_with(category) && name.substr(category.size()).starts_with(':')) {
    name.erase(0, category.size() + 1);
  }
}

/// Where a plugin's option goes that a long option of ours stands for.
Options::Setting& plugin_option(Given& given, const std::string& option, const std::string& plugin,
                                const std::string& key) {
  auto& config = given.arguments.config;
  const auto in_file = given.places.find(option);
  const bool by_hand = in_file == given.places.end();
  auto& setting = (by_hand ? config.options : config.base_options)[plugin][key];
  setting.place = by_hand ? "--" + option : in_file->second;
  return setting;
}

/// Hands the rules to the worker yara, and makes it one of the workers.
void set_rules(Given& given) {
  const auto& paths = given.rules;
  std::string list;
  for (const auto& path : paths) {
    if (path.find(',') != std::string::npos) {
      throw UsageError("--rules: '" + path + "' holds a comma; name its folder, or rename it");
    }
    (list += list.empty() ? "" : ",") += path;
  }
  auto& workers = given.arguments.config.workers;
  if (std::find(workers.begin(), workers.end(), "yara") == workers.end()) {
    workers.emplace_back("yara");
  }
  plugin_option(given, "rules", "worker:yara", "rules_list").value = list;
}

/// The rules that stoq.cfg gives for the worker yara, when that is the command.
void set_rules_of_command(Given& given) {
  if (given.worker == "yara" && !given.rules.empty()) set_rules(given);
}

void set_workers(bool chosen, Given& given) {
  auto& workers = given.arguments.config.workers;
  if (!chosen) workers = {"mimetype", "entropy"};
  for (auto& name : workers) {
    trim(name);
    strip_category(name, "worker");
  }
  const bool none = std::find(workers.begin(), workers.end(), "none") != workers.end();
  if (none && workers.size() > 1) {
    throw UsageError("--worker: 'none' stands alone; leave it out or leave the others out");
  }
  if (none && !given.rules.empty()) {
    throw UsageError("--rules needs the worker yara; leave '-w none' out");
  }
  if (none) workers.clear();
  if (!given.rules.empty()) set_rules(given);
}

/// Whether run.json may stand beside the output: not where that is a device or a pipe.
bool is_plain_file(const std::string& path) {
  std::error_code ignored;
  const auto status = std::filesystem::status(path, ignored);
  return !std::filesystem::exists(status) || std::filesystem::is_regular_file(status);
}

void set_output(bool connector_chosen, Given& given) {
  auto& config = given.arguments.config;
  if (given.format != "jsonl" && given.format != "stoq") {
    throw UsageError("--format: '" + given.format + "' is neither jsonl nor stoq");
  }
  config.format = given.format == "stoq" ? engine::Format::stoq : engine::Format::jsonl;
  const char* option = given.outfile.empty() ? "output" : "outfile";
  if (!given.outfile.empty()) {
    if (!given.output.empty() && !given.places.contains("output")) {
      throw UsageError("--output and --outfile: leave one of them out");
    }
    given.output = given.outfile;
  }
  if (given.output.empty()) return;
  const std::string wanted = given.output == "-" ? "stdout" : "file";
  const bool both_on_screen = wanted == "stdout" || config.connector == "stdout";
  if (connector_chosen && config.connector != wanted && both_on_screen) {
    throw UsageError("--" + std::string(option) + " belongs to the connector " + wanted +
                     ", not to " + config.connector + "; leave one of the two options out");
  }
  if (!connector_chosen) config.connector = wanted;
  if (wanted == "stdout") return;
  plugin_option(given, option, "connector:" + config.connector, "path").value = given.output;
  // What a run adds to a file is not to be taken away by the next one.
  const bool adds = !given.outfile.empty() || given.arguments.cron > 0;
  if (adds && config.connector == "file") {
    config.options["connector:file"]["append"] = {"true",
                                                  given.outfile.empty() ? "--cron" : "--outfile"};
  }
  if (!given.run_json_set && given.outfile.empty() && is_plain_file(given.output)) {
    config.run_json = (std::filesystem::path(given.output).parent_path() / "run.json").string();
  }
}

void check_input(const CLI::App& command, Given& given) {
  auto& config = given.arguments.config;
  const auto& input = config.input;
  // Other sources may know by themselves what there is to scan.
  const bool needs_paths = config.source == "filedir" || config.source == "archive";
  if (needs_paths && input.paths.empty() && input.files_from.empty()) {
    const bool of_source =
        command.get_option("--source")->count() != 0 || !given.queue.empty() || given.error_queue;
    if (given.worker.empty() || of_source) {
      throw UsageError("nothing to scan: name files or folders" +
                       std::string(given.worker.empty() ? "" : " with -F") +
                       ", or a list with --files-from");
    }
    config.source.clear();  // the run knows whether the worker needs a payload
  }
  const auto& list = input.files_from;
  if (given.arguments.cron > 0 && list == "-") {
    throw UsageError("--cron: standard input can be read but once; list the paths in a file");
  }
  if (!list.empty() && list != "-" && ::access(list.c_str(), R_OK) != 0) {
    throw UsageError("--files-from: cannot read '" + list + "': " + std::strerror(errno));
  }
}

bool takes_paths(const Arguments& arguments) {
  return arguments.command == Command::scan || arguments.command == Command::bench ||
         arguments.command == Command::graph;
}

/// Lays stoq.cfg under what the command line says.
void read_config_file(const CLI::App& app, CLI::App& command, Given& given) {
  const auto own = given.arguments.command;
  if (own == Command::schema || own == Command::new_package) return;
  const auto file = given.config_file.empty() ? find_config_file() : given.config_file;
  if (!file.empty()) apply_config_file(file, *app.get_subcommand("scan"), command, given);
}

/// Draws the conclusions from what was given on the command line and in the file.
void conclude(CLI::App& command, Given& given) {
  auto& config = given.arguments.config;
  const auto in_file = given.places.find("option");
  for (const auto& text : given.plugin_options) {
    if (in_file == given.places.end()) {
      parse_plugin_option(text, "--option", config.options);
    } else {
      parse_plugin_option(text, in_file->second, config.base_options);
    }
  }
  if (given.arguments.command == Command::get) strip_category(given.arguments.plugin, "connector");
  if (!takes_paths(given.arguments)) return;
  strip_category(config.source, "source");
  strip_category(config.connector, "connector");
  strip_category(config.archive, "connector");
  strip_category(config.text_connector, "connector");
  if (given.arguments.command != Command::graph) check_input(command, given);
  set_hashes(given.hashes, config.digests);
  if (!given.hashes.empty() && !given.places.contains("hash")) config.hash_roots = true;
  set_metadata(given.metadata, config);
  if (given.worker.empty()) {
    set_workers(command.get_option("--worker")->count() != 0, given);
  } else {
    conclude_worker_command(given);
    set_rules_of_command(given);
  }
  const bool connector_chosen = command.get_option("--connector")->count() != 0;
  if (given.arguments.command == Command::bench) {
    config.accounts = true;
    if (!connector_chosen && given.output.empty()) config.connector.clear();
  }
  set_output(connector_chosen, given);
  if (config.max_size && *config.max_size < config.min_size) {
    throw UsageError("--max-size is less than --min-size: nothing could be scanned");
  }
  config.ordered = !given.unordered;
  given.arguments.progress = !given.quiet;
  given.arguments.summary = !given.quiet || given.summary;
}

std::vector<std::string> long_options(const CLI::App& command) {
  std::vector<std::string> names;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// What to say of arguments that nobody expected.
std::string explain_extra(const CLI::App& app, const CLI::App* command, const std::string& extra) {
  if (command == nullptr) {
    std::vector<std::string> names;
    for (const auto* known : app.get_subcommands({})) names.push_back(known->get_name());
    const auto near = support::nearest(extra, names);
    if (!near.empty()) return "no command '" + extra + "'; did you mean 'stoq " + near + "'?";
    return "no command '" + extra + "'; to scan it, write 'stoq scan " + extra + "'";
  }
  const auto name = extra.substr(0, extra.find('='));
  if (!name.starts_with('-')) return "one argument too many: '" + extra + "'";
  const auto near = support::nearest(name, long_options(*command));
  return "unknown option '" + name + "'" +
         (near.empty() ? "; see 'stoq " + command->get_name() + " --help'"
                       : "; did you mean '" + near + "'?");
}

}  // namespace

std::optional<Arguments> parse_arguments(int argc, const char* const* argv) {
  Given given;
  CLI::App app{"stoq takes files apart, layer by layer, and says what is in them.", "stoq"};
  set_up_options(app, given);
  // Behind "--" stand paths, whatever they look like.
  const auto* const end = argv + argc;
  const auto* const mark = std::find(argv + 1, end, std::string_view("--"));
  std::vector<std::string> words;
  std::transform(argv + 1, mark, std::back_inserter(words), mark_argument);
  add_worker_commands(app, given, words);
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  CLI::App* command = nullptr;
  try {
    app.parse(std::move(words));
    command = app.get_subcommands().front();
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  } catch (const CLI::CallForVersion& version) {
    std::cout << version.what() << '\n';
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    const auto parsed = app.get_subcommands();
    const auto extras = app.remaining(true);
    const auto* used = parsed.empty() ? nullptr : parsed.front();
    if (!extras.empty())
      throw UsageError(explain_extra(app, used, unmark_argument(extras.front())));
    if (used == nullptr)
      throw UsageError(
          "say what to do, such as 'stoq scan PATH'; "
          "'stoq --help' lists the commands");
    throw UsageError(error.what());
  }
  if (mark != end) {
    auto& paths = given.arguments.config.input.paths;
    if (!takes_paths(given.arguments)) throw UsageError("'--' comes before paths to scan");
    paths.insert(paths.end(), mark + 1, end);
  }
  read_config_file(app, *command, given);
  conclude(*command, given);
  return std::move(given.arguments);
}

}  // namespace stoq::cli
