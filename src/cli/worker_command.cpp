#include "cli/worker_command.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <CLI/CLI.hpp>

#include "cli/config_file.hpp"
#include "cli/help_texts.hpp"
#include "cli/option_kinds.hpp"
#include "cli/scan_options.hpp"
#include "cli/text_table.hpp"
#include "engine/run.hpp"

namespace stoq::cli {
namespace {

constexpr std::string_view prefix = "worker:";
constexpr std::size_t widest_description = 60;

bool is_command(const CLI::App& app, const std::string& word) {
  const auto commands =
      app.get_subcommands([&](const CLI::App* command) { return command->get_name() == word; });
  return !commands.empty();
}

/// What an option was given before the command line is parsed, which needs to know the workers.
std::vector<std::string> values_of(const std::vector<std::string>& words,
                                   const std::string& option) {
  std::vector<std::string> values;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (word->starts_with(option + "=")) {
      values.push_back(unmark_argument(word->substr(option.size() + 1)));
    } else if (*word == option && word + 1 != words.end()) {
      values.push_back(unmark_argument(*++word));
    }
  }
  return values;
}

std::vector<engine::PluginInfo> find_workers(const std::vector<std::string>& words) {
  engine::Config config;
  config.plugin_dirs = values_of(words, "--plugin-dir");
  if (config.plugin_dirs.empty()) {
    const auto named = values_of(words, "--config");
    const auto file = named.empty() ? find_config_file() : named.back();
    if (!file.empty()) config.plugin_dirs = plugin_dirs_of(file);
  }
  auto plugins = engine::list_plugins(config);
  std::erase_if(plugins, [](const auto& plugin) {
    return plugin.category != Category::worker || plugin.name.starts_with('-');
  });
  return plugins;
}

/// The first sentence.
std::string brief(const std::string& text) {
  return shown(text.substr(0, std::min(text.find(". "), text.find('\n'))), widest_description);
}

/// A name of the worker's that one of ours has as well would take that away.
void check_names(const std::vector<engine::PluginArgument>& arguments) {
  CLI::App ours;
  Given ignored;
  ours.set_help_flag("-h,--help");
  add_scan_options(ours, ignored, Spelling::worker);
  add_cron(ours, ignored);
  for (const auto& argument : arguments) {
    std::vector<std::string> names{"--" + argument.name};
    if (argument.letter != '\0') names.push_back(std::string("-") + argument.letter);
    for (const auto& name : names) {
      if (ours.get_option_no_throw(name) == nullptr) continue;
      throw ConfigError(argument.place + ": " + name + " is an option of stoq's own; choose " +
                        (name.starts_with("--") ? "another name" : "a small letter that is free"));
    }
  }
}

std::string joined(const std::vector<std::string>& items) {
  std::string text;
  for (const auto& item : items) (text += text.empty() ? "" : ",") += unmark_argument(item);
  return text;
}

void add_argument(CLI::App& command, Given& given, const std::string& worker,
                  const engine::PluginArgument& argument) {
  const auto names = (argument.letter == '\0' ? "" : std::string("-") + argument.letter + ",") +
                     "--" + argument.name;
  const auto set = [&options = given.arguments.config.options,
                    plugin = std::string(prefix) + worker, key = argument.option,
                    place = "--" + argument.name](std::string value) {
    options[plugin][key] = {std::move(value), place};
  };
  CLI::Option* option = nullptr;
  if (argument.metavar.empty()) {
    option = command.add_flag_callback(
        names, [set, value = argument.flag_value()] { set(value); }, argument.help);
  } else if (argument.is_list()) {
    using Texts = std::vector<std::string>;
    option = command
                 .add_option_function<Texts>(
                     names, [set](const Texts& items) { set(joined(items)); }, argument.help)
                 ->type_name(argument.metavar)
                 ->allow_extra_args(false);
  } else {
    option = add_text(command, names, argument.metavar, argument.help, set);
  }
  option->group(std::string(own_group));
}

void add_options(CLI::App& command, Given& given, const engine::PluginInfo& worker) {
  if (!worker.problem.empty()) throw ConfigError(worker.problem);
  check_names(worker.arguments);
  for (const auto& argument : worker.arguments) add_argument(command, given, worker.name, argument);
  add_scan_options(command, given, Spelling::worker);
  add_cron(command, given);
  command.footer(worker_footer);
  command.callback([&given, name = worker.name] {
    given.arguments.command = Command::scan;
    given.worker = name;
  });
}

}  // namespace

void add_worker_commands(CLI::App& app, Given& given, std::vector<std::string>& words) {
  std::string first;
  if (!words.empty()) first = words.front();
  if (is_command(app, first)) return;
  if (first.starts_with(prefix) && !is_command(app, first.substr(prefix.size()))) {
    words.front() = first = first.substr(prefix.size());
  }
  std::vector<engine::PluginInfo> workers;
  try {
    workers = find_workers(words);
  } catch (const Error&) {
    // Who asks for help gets it, whatever stands in stoq.cfg.
    if (!first.empty() && !first.starts_with('-')) throw;
  }
  for (const auto& worker : workers) {
    if (is_command(app, worker.name)) continue;
    auto* command = app.add_subcommand(worker.name, brief(worker.description));
    command->group("Workers ('stoq WORKER -h' shows what each takes)");
    command->set_help_flag("-h,--help", "This help");
    if (worker.name == first) add_options(*command, given, worker);
  }
}

void conclude_worker_command(Given& given) {
  auto& config = given.arguments.config;
  if (!given.dispatch && !config.dispatch_rules.empty() &&
      !given.places.contains("dispatch-rules")) {
    throw UsageError("--dispatch-rules: without -D nothing is opened; add -D");
  }
  config.workers = {given.worker};
  config.dispatch = given.dispatch;
  auto& source = config.options["source:" + config.source];
  if (!given.queue.empty()) source["queue"] = {given.queue, "--queue"};
  if (given.error_queue) source["error_queue"] = {"true", "--errors"};
  if (source.empty()) config.options.erase("source:" + config.source);
}

}  // namespace stoq::cli
