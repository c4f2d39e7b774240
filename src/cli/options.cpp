#include "cli/options.hpp"

#include <cstdint>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "cli/help_texts.hpp"
#include "cli/option_kinds.hpp"
#include "cli/scan_options.hpp"

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

void add_new(CLI::App& app, Given& given) {
  auto& arguments = given.arguments;
  app.add_option("CATEGORY", arguments.category,
                 "worker, connector, reader, source, extractor, carver or decoder")
      ->required();
  app.add_option("NAME", arguments.plugin, "Of the plugin: lower-case letters, digits, underscores")
      ->required();
  add_text(app, "--into", "DIR", "Write NAME-plugin into this folder [.]",
           [&arguments](const std::string& path) { arguments.output = path; });
}

void add_install(CLI::App& app, Given& given) {
  auto& arguments = given.arguments;
  app.add_option_function<std::string>(
         "PACKAGE", [&](const std::string& path) { arguments.file = unmark_argument(path); },
         "A package: its folder, or a .tar.gz, .tar.xz, .zip, … of it")
      ->required();
  app.add_flag("--upgrade", arguments.upgrade, "Replace the plugin if there is one of that name");
  app.add_flag("--with-requirements", arguments.with_requirements,
               "Install the Debian packages of its requirements.txt, by apt-get");
  add_list(app, "--plugin-dir", "DIR", arguments.config.plugin_dirs,
           "Install into this folder, in place of the first that is searched for plugins")
      ->group("Plugins");
  add_config_file(app, given);
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
  add_scan_options(*scan, given, Spelling::scan);
  add_cron(*scan, given);
  scan->footer(scan_footer);
  auto* bench = add(Command::bench, "bench", "Measure what plugins cost on files of yours");
  add_bench_options(*bench, given);
  add_scan_options(*bench, given, Spelling::scan);
  bench->footer(bench_footer);
  auto* graph = add(Command::graph, "graph", "Print the graph a scan would run, as DOT");
  add_scan_options(*graph, given, Spelling::scan);
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
  auto* new_package =
      add(Command::new_package, "new", "Begin a plugin: write a package that works");
  add_new(*new_package, given);
  new_package->footer(new_footer);
  auto* install = add(Command::install, "install", "Build, test and install a plugin package");
  add_install(*install, given);
  install->footer(install_footer);
  auto* schema = add(Command::schema, "schema", "Print the JSON Schema of a line of results");
  schema->add_flag("--duckdb", given.arguments.duckdb, "Print a DuckDB statement that reads them");
}

}  // namespace stoq::cli
