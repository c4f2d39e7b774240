/// Plugins as they are found, checked, given their options and refused.
#include "engine/plugin_registry.hpp"

#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "witnesses.hpp"

namespace {

using stoq::engine::Config;
using stoq::fakes::stoq_file;
using stoq::fakes::Witnesses;
namespace fs = std::filesystem;

/// With which the run is refused; empty when it is not.
std::string refusal(const Config& config) {
  try {
    const stoq::engine::Run run(config);
    return {};
  } catch (const stoq::Error& error) {
    return error.what();
  }
}

std::string without(std::string text, const std::string& key) {
  const auto at = text.find("\n" + key + " =") + 1;
  return text.erase(at, text.find('\n', at) + 1 - at);
}

void use_library(const Witnesses& world, const std::string& fixture) {
  const auto library = world.folder() / "worker/w/w.so";
  fs::remove(library);
  fs::create_symlink(fs::path(STOQ_FIXTURES) / (fixture + ".so"), library);
}

struct Bad {
  const char* name;
  std::function<void(const Witnesses&)> make;
  const char* file;               ///< that the message names, below the folder
  std::vector<std::string> says;  ///< the reason, and what to do
};

Bad library(const char* fixture, std::vector<std::string> says) {
  return {fixture, [fixture](const Witnesses& world) { use_library(world, fixture); },
          "worker/w/w.so", std::move(says)};
}
Bad options(const char* name, const std::string& lines, std::vector<std::string> says) {
  return {name, [lines](const Witnesses& world) { world.add("worker", "w", lines); },
          "worker/w/w.stoq", std::move(says)};
}
Bad lacking(const char* name, const char* category, const char* key, const char* line) {
  const std::string file = std::string(category) + "/w/w.stoq";
  return {
      name,
      [=](const Witnesses& world) { world.write(file, without(stoq_file(category, "w"), key)); },
      category == std::string("source") ? "source/w/w.stoq" : "worker/w/w.stoq",
      {std::string("lacks '") + key + "'", std::string("add the line '") + line}};
}
Bad text(const char* name, const std::string& from, const std::string& to,
         std::vector<std::string> says) {
  return {name,
          [=](const Witnesses& world) {
            auto file = stoq_file("worker", "w");
            world.write("worker/w/w.stoq", file.replace(file.find(from), from.size(), to));
          },
          "worker/w/w.stoq", std::move(says)};
}

const std::vector<Bad>& bad_plugins() {
  static const std::vector<Bad> all{
      library("wrong_abi", {"interface 4711", "build it again"}),
      library("wrong_layout", {"standard library", "build it again"}),
      library("no_descriptor", {"exports no descriptor", "write STOQ_PLUGIN(Class)"}),
      library("missing_symbol", {"undefined symbol", "in_no_library", "link the library"}),
      library("witness_connector", {"is a connector", "folder of a worker", "move its folder"}),
      {"no_library",
       [](const Witnesses& world) { fs::remove(world.folder() / "worker/w/w.so"); },
       "worker/w/w.stoq",
       {"w.so is missing", "build or install it"}},
      {"two_of_one_name",
       [](const Witnesses& world) {
         world.write("worker/other/other.stoq", stoq_file("worker", "w"));
       },
       "worker/other/other.stoq",
       {"two plugins are called worker:w", "worker/w/w.stoq", "remove or rename one"}},
      {"library_that_cannot_be_opened",
       [](const Witnesses& world) {
         // Not even root opens a socket.
         fs::remove(world.folder() / "worker/w/w.so");
         ASSERT_EQ(::mknod((world.folder() / "worker/w/w.so").c_str(), S_IFSOCK | 0600, 0), 0);
       },
       "worker/w/w.so",
       {"cannot be read: No such device or address", "build or install it again",
        "let this user read it"}},
      {"library_in_a_circle",
       [](const Witnesses& world) {
         fs::remove(world.folder() / "worker/w/w.so");
         fs::create_symlink("w.so", world.folder() / "worker/w/w.so");
       },
       "worker/w/w.so",
       {"cannot be read: Too many levels of symbolic links", "build or install it again"}},
      {"description_that_cannot_be_read",
       [](const Witnesses& world) {
         fs::remove(world.folder() / "worker/w/w.stoq");
         fs::create_directory(world.folder() / "worker/w/w.stoq");
       },
       "worker/w/w.stoq",
       {"cannot be read: Is a directory", "make it a file that this user can read"}},
      options("activate_refuses", "failure = config\n",
              {"its far side is down", "worker:w", "correct its options in ", "or by --option",
               "or leave it out"}),
      options("activate_throws", "failure = exception\n",
              {"cannot be activated: two\\x0alines", "worker:w", "correct its options in ",
               "or by --option", "or leave it out"}),
      options("activate_throws_a_number", "failure = number\n",
              {"no std::exception", "correct its options in ", "or leave it out"}),
      options("misspelt_option", "beets = on\n", {"w.stoq:12: ", "'beets'", "mean 'beats'?"}),
      options("unknown_option", "colour_scheme = x\n",
              {"w.stoq:12: ", "'colour_scheme'", "'stoq info worker:w' lists"}),
      options("option_of_another_category", "multiprocess = True\n",
              {"w.stoq:12: ", "'multiprocess'", "'stoq info worker:w' lists its options"}),
      options("no_truth", "beats = maybe\n", {"w.stoq:12: ", "'maybe'", "expected true or false"}),
      options("no_number", "pause = soon\n", {"w.stoq:12: ", "'soon'", "expected a whole number"}),
      options("no_JSON", "facts_dict = {\"a\": 1\n", {"w.stoq:12: ", "expected a JSON object"}),
      options("no_JSON_object", "facts_dict = [1]\n", {"w.stoq:12: ", "expected a JSON object"}),
      options("no_level", "max_tlp = blue\n", {"w.stoq:12: ", "'blue'", "expected white"}),
      options("no_version", "min_stoq_version = new\n", {"w.stoq:12: ", "expected a version"}),
      lacking("no_Name", "worker", "Name", "Name = "),
      lacking("no_Module", "worker", "Module", "Module = "),
      lacking("no_Author", "worker", "Author", "Author = "),
      lacking("no_Version", "worker", "Version", "Version = "),
      lacking("no_Website", "worker", "Website", "Website = "),
      lacking("no_Description", "worker", "Description", "Description = "),
      lacking("no_hashpayload", "worker", "hashpayload", "hashpayload = True"),
      lacking("no_saveresults", "worker", "saveresults", "saveresults = True"),
      lacking("no_multiprocess", "source", "multiprocess", "multiprocess = False"),
      text("empty_key", "Author = a", "Author =", {"lacks 'Author'"}),
      text("misspelt_section", "[options]", "[option]", {"[option]", "mean [options]?"}),
      text("hostile_module", "Module = w", "Module = ../../w",
           {"w.stoq:3: ", "'../../w'", "write letters"}),
      text("no_file_of_its_kind", "[Core]", "Core", {"w.stoq:1: ", "a [section] is expected"})};
  return all;
}

void PrintTo(const Bad& bad, std::ostream* out) { *out << bad.name; }

TEST(GoodPlugin, IsTaken) {
  const Witnesses world;
  EXPECT_EQ(refusal(world.config()), "");
}

TEST(GoodPlugin, IsCalledByItsNameWhateverItsFilesAreCalled) {
  const Witnesses world;
  fs::remove_all(world.folder() / "worker/w");
  auto text = stoq_file("worker", "w");
  text.replace(text.find("Module = w"), 10, "Module = m");
  world.write("worker/folder/x.stoq", text);
  fs::create_symlink(fs::path(STOQ_FIXTURES) / "witness_worker.so",
                     world.folder() / "worker/folder/m.so");
  const auto summary = stoq::engine::Run(world.config()).run();
  const auto used = std::find_if(summary.plugins.begin(), summary.plugins.end(),
                                 [](const auto& plugin) { return plugin.name == "worker:w"; });
  ASSERT_NE(used, summary.plugins.end());
  EXPECT_EQ(used->calls, 3U);
  auto config = world.config();
  config.workers = {"x"};
  EXPECT_NE(refusal(config).find("no worker called 'x'"), std::string::npos);
}

class BadPlugin : public testing::TestWithParam<Bad> {};

TEST_P(BadPlugin, IsRefusedInOneLineThatSaysWhatToDo) {
  const Witnesses world;
  GetParam().make(world);
  const auto message = refusal(world.config());
  EXPECT_NE(message.find((world.folder() / GetParam().file).string()), message.npos) << message;
  for (const auto& part : GetParam().says) EXPECT_NE(message.find(part), message.npos) << message;
  EXPECT_EQ(message.find('\n'), message.npos) << message;
}

TEST_P(BadPlugin, DoesNotKeepOthersFromBeingListed) {
  const Witnesses world;
  const auto before = stoq::engine::list_plugins(world.config()).size();
  GetParam().make(world);
  EXPECT_EQ(stoq::engine::list_plugins(world.config()).size(), before);
  auto config = world.config();
  config.workers.clear();
  config.source = "archive";
  const auto message = refusal(config);
  EXPECT_EQ(message.find("worker:w"), message.npos) << message;
}

INSTANTIATE_TEST_SUITE_P(Each, BadPlugin, testing::ValuesIn(bad_plugins()),
                         [](const auto& test) { return std::string(test.param.name); });

/// The option as `stoq info` shows it: "value from origin".
std::string shown(const Config& config, const std::string& key) {
  const auto plugin = stoq::engine::describe_plugin(config, "worker:w");
  EXPECT_EQ(plugin.problem, "");
  for (const auto& option : plugin.options) {
    if (option.key == key) return option.value + " from " + option.origin;
  }
  return "none";
}

TEST(PluginOptions, TheCommandLineIsOverTheStoqFileOverTheConfigurationOverDefaults) {
  const Witnesses world;
  const auto plain = world.add("worker", "w").string();
  auto config = world.config();
  EXPECT_EQ(shown(config, "count"), "3 from default");
  config.base_options["worker:w"]["count"] = {"4", "stoq.cfg:7"};
  EXPECT_EQ(shown(config, "count"), "4 from stoq.cfg:7");
  world.add("worker", "w", "count = 5\n");
  EXPECT_EQ(shown(config, "count"), "5 from " + plain + ":12");
  config.options["w"]["count"] = {"6", "--option"};
  EXPECT_EQ(shown(config, "count"), "6 from --option");
}

TEST(PluginOptions, ThoseOfTheEngineAreShownToo) {
  const Witnesses world;
  const auto file = world.add("worker", "w").string();
  EXPECT_EQ(shown(world.config(), "hashpayload"), "True from " + file + ":10");
  EXPECT_EQ(shown(world.config(), "max_tlp"), "red from default");
  EXPECT_EQ(shown(world.config(), "multiprocess"), "none");
}

/// What a witness gets that asks for an option.
std::string asked(const Witnesses& world, const std::string& category, const std::string& key,
                  const std::string& lines) {
  world.add(category, "w", "asked_list = " + key + "\n" + lines);
  fs::remove(world.folder() / "journal");
  EXPECT_EQ(refusal(world.config()), "");
  const auto before = category + " " + key + " is ";
  const auto told = world.journal(before);
  return told.size() == 1 ? told[0].substr(before.size()) : "not told";
}

struct Asked {
  const char *category, *key, *lines, *value;
};

TEST(PluginOptions, ThoseOfTheEngineCanBeReadByThePlugin) {
  const Witnesses world;
  const std::vector<Asked> cases{
      {"worker", "hashpayload", "", "True"},
      {"worker", "saveresults", "", "True"},
      {"worker", "max_tlp", "", "red"},
      {"worker", "max_tlp", "max_tlp = amber\n", "amber"},
      {"worker", "type_list", "", ""},
      {"worker", "type_list", "type_list = zip, pe\n", "zip, pe"},
      {"worker", "max_size", "", "18446744073709551615"},
      {"worker", "max_size", "max_size = 64K\n", "64K"},
      {"worker", "needs_payload", "", "true"},
      {"worker", "min_stoq_version", "", ""},
      {"worker", "min_stoq_version", "min_stoq_version = 0.0.1\n", "0.0.1"},
      {"connector", "max_stoq_version", "max_stoq_version = 99\n", "99"},
      {"connector", "max_tlp", "", "red"},
      {"connector", "max_size", "", "of the plugin's own default"},
      {"source", "multiprocess", "", "False"},
      {"source", "hashpayload", "", "of the plugin's own default"},
  };
  for (const auto& [category, key, lines, value] : cases) {
    EXPECT_EQ(asked(world, category, key, lines), value) << category << " " << key << " " << lines;
  }
  auto config = world.config();
  world.add("worker", "w", "asked_list = hashpayload\n");
  config.options["worker:w"]["hashpayload"] = {"no", "--option"};
  EXPECT_EQ(refusal(config), "");
  EXPECT_EQ(world.count("worker hashpayload is no"), 1U) << "the command line is over the file";
}

TEST(PluginOptions, ThoseOfTheEngineAreListedOnceThoughThePluginReadsThem) {
  const Witnesses world;
  world.add("worker", "w", "asked_list = hashpayload, max_tlp, max_size\n");
  const auto plugin = stoq::engine::describe_plugin(world.config(), "worker:w");
  EXPECT_EQ(plugin.problem, "");
  for (const std::string key : {"hashpayload", "max_tlp", "max_size"}) {
    const auto times = std::count_if(
        plugin.options.begin(), plugin.options.end(),
        [&](const auto& option) { return option.key == key && !option.help.empty(); });
    EXPECT_EQ(times, 1) << key;
  }
  EXPECT_EQ(shown(world.config(), "max_size"), " from default") << "as the engine says it";
}

TEST(PluginOptions, AreListedWhereOneOfThemIsUnknown) {
  const Witnesses world;
  world.add("worker", "w", "colour_scheme = x\n");
  const auto plugin = stoq::engine::describe_plugin(world.config(), "worker:w");
  EXPECT_NE(plugin.problem, "");
  EXPECT_TRUE(std::any_of(plugin.options.begin(), plugin.options.end(),
                          [](const auto& option) { return option.key == "beats"; }));
}

/// What the run's log says while it is made.
std::string logged(const Config& config) {
  testing::internal::CaptureStderr();
  const auto message = refusal(config);
  auto log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(message, "");
  return log;
}

TEST(PluginOptions, AValueSetInVainIsWarnedOf) {
  const Witnesses world;
  auto config = world.config();
  config.base_options["w"]["count"] = {"4", "stoq.cfg:7"};
  EXPECT_EQ(logged(config), "");
  world.add("worker", "w", "count = 5\n");
  const auto log = logged(config);
  for (const auto* part : {"stoq.cfg:7", "w.stoq:12", "--option worker:w.count=4"}) {
    EXPECT_NE(log.find(part), log.npos) << log;
  }
}

struct Versions {
  const char *lines, *warning;  ///< nullptr: none
};

TEST(PluginOptions, AnotherVersionIsWarnedOfAndRuns) {
  const Witnesses world;
  const std::vector<Versions> cases{
      {"min_stoq_version = 0.0.9\n", nullptr},
      {"min_stoq_version = " STOQ_TEST_VERSION "\n", nullptr},
      {"min_stoq_version = 99.1\n", "from 99.1 on"},
      {"max_stoq_version = 99\n", nullptr},
      {"max_stoq_version = " STOQ_TEST_VERSION "\n", "before " STOQ_TEST_VERSION},
      {"max_stoq_version = 0.0.10\n", "before 0.0.10"},
      {"min_stoq_version = 0\nmax_stoq_version = 99.0.0\n", nullptr}};
  for (const auto& [lines, warning] : cases) {
    SCOPED_TRACE(lines);
    world.add("worker", "w", lines);
    const auto log = logged(world.config());
    if (warning == nullptr) {
      EXPECT_EQ(log, "");
    } else {
      EXPECT_NE(log.find(warning), log.npos) << log;
      EXPECT_NE(log.find("worker:w"), log.npos) << log;
      EXPECT_NE(log.find("unpredictable"), log.npos) << log;
    }
  }
}

}  // namespace
