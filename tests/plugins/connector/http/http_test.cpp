/// The connector `http` against a receiver on loopback that is killed, restarted, and answers as it
/// is told.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stoq/plugin.hpp>

#include "plugins/connector_test.hpp"
#include "plugins/loaded_plugin.hpp"
#include "plugins/truth.hpp"

namespace {

namespace fs = std::filesystem;
using stoq::testing::LoadedPlugin;
using stoq::testing::PluginPlace;
using Json = nlohmann::json;

const PluginPlace place{"connector", "http"};

std::string line(int number) { return "{\"stoq\":{\"id\":\"" + std::to_string(number) + "\"}}\n"; }

class Http : public stoq::testing::ConnectorTest {
 protected:
  void SetUp() override {
    ConnectorTest::SetUp();
    if (HasFatalFailure()) return;
    start();
  }
  void TearDown() override {
    stop();
    ConnectorTest::TearDown();
  }

  /// Starts the receiver, on the port that it had before.
  void start() {
    fs::remove(folder_ / "port");
    std::vector<std::string> words{"python3", (place.tests() / "receiver.py").string(),
                                   folder_.string()};
    words.push_back(port_.empty() ? "0" : port_);
    if (!certificate_.empty()) words.push_back(certificate_);
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ASSERT_EQ(::posix_spawnp(&receiver_, "python3", nullptr, nullptr, arguments.data(), environ),
              0);
    for (int i = 0; i < 3000 && !fs::exists(folder_ / "port"); ++i) pause();
    port_ = stoq::testing::read_file(folder_ / "port");
  }
  void stop() {
    if (receiver_ <= 0) return;
    ::kill(receiver_, SIGKILL);
    ::waitpid(receiver_, nullptr, 0);
    receiver_ = 0;
  }
  static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(10)); }

  void answer(const std::string& status) { std::ofstream(folder_ / "answer") << status; }

  [[nodiscard]] std::unique_ptr<LoadedPlugin> load(stoq::Options::Map options = {}) const {
    options.emplace("url", "http://127.0.0.1:" + port_ + "/results");
    options.emplace("spool", spool());
    options.emplace("max_wait", "0.2");
    auto plugin = std::make_unique<LoadedPlugin>(place, options);
    return plugin;
  }
  [[nodiscard]] std::string spool() const { return (folder_ / "spool").string(); }

  [[nodiscard]] std::vector<Json> posts() const {
    std::vector<Json> all;
    std::ifstream log(folder_ / "log");
    for (std::string text; std::getline(log, text);) all.push_back(Json::parse(text));
    return all;
  }
  /// Every record that arrived, in order; a post that came twice counts once.
  [[nodiscard]] std::vector<int> arrived() const {
    std::vector<int> ids;
    std::set<std::string> keys;
    for (const auto& post : posts()) {
      if (!keys.insert(post["key"]).second) continue;
      std::istringstream lines(post["lines"].get<std::string>());
      for (std::string text; std::getline(lines, text);) {
        ids.push_back(std::stoi(Json::parse(text)["stoq"]["id"].get<std::string>()));
      }
    }
    return ids;
  }
  static std::vector<int> up_to(int count) {
    std::vector<int> ids;
    for (int i = 0; i < count; ++i) ids.push_back(i);
    return ids;
  }

  std::string port_, certificate_;
  pid_t receiver_ = 0;
};

TEST_F(Http, PostsLinesOfJsonInOrder) {
  const auto plugin = load({{"batch_size", "100"}, {"header_list", "X-Token: abc"}});
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true});
  for (int i = 0; i < 50; i += 2) connector.save(line(i) + line(i + 1), 2);
  connector.disconnect();
  EXPECT_EQ(arrived(), up_to(50));
  ASSERT_GT(posts().size(), 1U);
  std::set<std::string> keys;
  for (const auto& post : posts()) {
    EXPECT_EQ(post["type"], "application/x-ndjson");
    EXPECT_EQ(post["token"], "abc");
    EXPECT_EQ(post["attempt"], 1);
    EXPECT_TRUE(keys.insert(post["key"]).second);
  }
  EXPECT_FALSE(fs::exists(spool()));
}

TEST_F(Http, PostsTextAsAMemberOfAnObject) {
  EXPECT_FALSE(load()->as<stoq::Connector>().takes_text());
  const auto plugin = load({{"text_key", "te\"xt"}, {"batch_size", "10"}});
  auto& connector = plugin->as<stoq::Connector>();
  EXPECT_TRUE(connector.takes_text());
  connector.connect({.results = true});
  const std::string first = "two \"files\":\n\tC:\\a, \x1b and \u00e9\n";
  connector.save(first, 2);
  connector.save("", 3);  // the template had nothing to say of these
  connector.flush();
  connector.save("b\n", 1);
  connector.save("c\n", 1);
  connector.disconnect();
  std::vector<Json> bodies;
  for (const auto& post : posts()) {
    EXPECT_EQ(post["type"], "application/json");
    bodies.push_back(Json::parse(post["lines"].get<std::string>()));
  }
  EXPECT_EQ(bodies, (std::vector<Json>{{{"te\"xt", first}}, {{"te\"xt", "b\nc\n"}}}));
}

TEST_F(Http, LosesNothingWhileTheFarSideIsDown) {
  const auto plugin = load({{"batch_size", "2K"}, {"queue_size", "10K"}});
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true});
  std::uintmax_t largest = 0;
  for (int i = 0; i < 10'000; ++i) {
    if (i == 1'000) stop();
    if (i == 8'000) {
      largest = fs::file_size(spool());
      start();
    }
    connector.save(line(i), 1);
  }
  connector.disconnect();
  // Most of it waited on disk, not in memory.
  EXPECT_GT(largest, 100'000U);
  EXPECT_EQ(arrived(), up_to(10'000));
  EXPECT_FALSE(fs::exists(spool()));
}

TEST_F(Http, MarksWhatComesTwice) {
  answer("lose");
  const auto plugin = load();
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true});
  connector.save(line(0), 1);
  connector.disconnect();
  const auto all = posts();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0]["key"], all[1]["key"]);
  EXPECT_EQ(all[0]["attempt"], 1);
  EXPECT_EQ(all[1]["attempt"], 2);
  EXPECT_EQ(all[0]["lines"], all[1]["lines"]);
}

TEST_F(Http, TriesAgainWhenTheFarSideIsBusy) {
  for (const auto* status : {"503", "500", "429", "408"}) {
    SCOPED_TRACE(status);
    answer(status);
    const auto plugin = load();
    auto& connector = plugin->as<stoq::Connector>();
    connector.connect({.results = true});
    connector.save(line(7), 1);
    const auto before = posts().size();
    fs::remove(folder_ / "refused");
    std::jthread later([&] {
      for (int i = 0; i < 6'000 && !fs::exists(folder_ / "refused"); ++i) pause();
      fs::remove(folder_ / "answer");
    });
    connector.disconnect();
    EXPECT_EQ(posts().size(), before + 1);
    EXPECT_GT(posts().back()["attempt"], 1);
  }
}

TEST_F(Http, LeavesTheRestToTheNextRun) {
  stop();
  {
    const auto plugin = load({{"batch_size", "1K"}, {"queue_size", "3K"}, {"give_up", "0"}});
    auto& connector = plugin->as<stoq::Connector>();
    connector.connect({.results = true});
    for (int i = 0; i < 1'000; ++i) connector.save(line(i), 1);
    const auto problem = message([&] { connector.disconnect(); });
    EXPECT_TRUE(has(problem, "1000 results could not be posted")) << problem;
    EXPECT_TRUE(has(problem, spool())) << problem;
  }
  // A run that was killed in the middle of a write.
  std::ofstream(spool(), std::ios::app) << "cut short";
  start();
  const auto plugin = load();
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true});
  connector.save(line(1'000), 1);
  connector.disconnect();
  EXPECT_EQ(arrived(), up_to(1'001));
  EXPECT_FALSE(fs::exists(spool()));
}

TEST_F(Http, EndsTheRunWhenTheFarSideWantsNothing) {
  answer("403");
  const auto plugin = load({{"batch_size", "1"}});
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true});
  std::string problem;
  for (int i = 0; i < 6'000 && problem.empty(); ++i) {
    try {
      connector.save(line(i), 1);
    } catch (const stoq::IoError& error) {
      problem = error.what();
    }
    pause();
  }
  EXPECT_TRUE(has(problem, "takes no results: status 403: as told")) << problem;
  EXPECT_TRUE(has(message([&] { connector.disconnect(); }), "could not be posted"));
  EXPECT_TRUE(fs::exists(spool()));
}

TEST_F(Http, RefusesOptionsThatMakeNoSense) {
  const auto problem = [&](const stoq::Options::Map& options) {
    return message([&] { load(options)->as<stoq::Connector>().connect({.results = true}); });
  };
  EXPECT_TRUE(has(problem({{"url", ""}}), "no url"));
  EXPECT_TRUE(has(problem({{"url", "file:///etc/passwd"}}), "neither http nor https"));
  EXPECT_TRUE(has(problem({{"url", "not a url"}}), "no URL"));
  EXPECT_TRUE(has(problem({{"header_list", "novalue"}}), "'Name: value'"));
  EXPECT_TRUE(has(problem({{"spool", "/no/such/folder/x"}}), "cannot open the spool"));
  EXPECT_TRUE(has(problem({{"give_up", "-1"}}), "give_up"));
  EXPECT_FALSE(fs::exists(spool()));
  std::ofstream(spool()) << "somebody's notes";
  EXPECT_TRUE(has(problem({}), "is no spool"));
  EXPECT_EQ(stoq::testing::read_file(spool()), "somebody's notes");
}

TEST_F(Http, TrustsOnlyCertificatesItKnows) {
  stop();
  certificate_ = (folder_ / "certificate.pem").string();
  const auto make =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=receiver -addext "
      "subjectAltName=IP:127.0.0.1 -keyout '" +
      certificate_ + "' -out '" + certificate_ + ".crt' 2>/dev/null && cat '" + certificate_ +
      ".crt' >> '" + certificate_ + "'";
  ASSERT_EQ(std::system(make.c_str()), 0);
  start();
  const auto run = [&](const std::string& host, const std::string& ca_file) {
    const auto plugin =
        load({{"url", "https://" + host + ":" + port_ + "/"}, {"ca_file", ca_file}});
    auto& connector = plugin->as<stoq::Connector>();
    connector.connect({.results = true});
    connector.save(line(0), 1);
    const auto problem = message([&] { connector.disconnect(); });
    fs::remove(spool());
    return problem;
  };
  EXPECT_TRUE(has(run("127.0.0.1", ""), "1 results could not be posted"));
  EXPECT_TRUE(has(run("localhost", certificate_ + ".crt"), "1 results could not be posted"));
  EXPECT_TRUE(posts().empty());
  EXPECT_EQ(run("127.0.0.1", certificate_ + ".crt"), "nothing was thrown");
  EXPECT_EQ(arrived(), up_to(1));
}

TEST_F(Http, TwoRunsDoNotShareASpool) {
  const auto first = load(), second = load();
  first->as<stoq::Connector>().connect({.results = true});
  EXPECT_TRUE(has(message([&] { second->as<stoq::Connector>().connect({.results = true}); }),
                  "another run uses the spool"));
  first->as<stoq::Connector>().disconnect();
}

}  // namespace
