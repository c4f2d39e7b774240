/// The connector `sqlite`, as sqlite3(1) reads what it wrote.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <stoq/plugin.hpp>
#include <stoq/testing.hpp>

#include "plugins/connector_test.hpp"
#include "plugins/loaded_plugin.hpp"

namespace {

namespace fs = std::filesystem;
using stoq::testing::LoadedPlugin;
using stoq::testing::VectorBuffer;

constexpr const char* hash_of_abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

std::string record(const std::string& id, const std::string& status = "ok") {
  return R"({"file":{"name":"b","path":"a.zip","size":3,"hash":{"sha256":")" +
         std::string(hash_of_abc) + R"("},"mime_type":"text/plain"},"stoq":{"schema":1,"id":")" +
         id + R"(","root":"r00t","parent":"r00t","depth":1,"path":"a.zip!b","status":")" + status +
         R"(","type":"text"}})"
         "\n";
}

class Sqlite : public stoq::testing::ConnectorTest {
 protected:
  void SetUp() override {
    ConnectorTest::SetUp();
    if (HasFatalFailure()) return;
    path_ = (folder_ / "results.db").string();
  }
  [[nodiscard]] std::unique_ptr<LoadedPlugin> load(stoq::Options::Map options = {}) const {
    options.emplace("path", path_);
    return std::make_unique<LoadedPlugin>(stoq::testing::PluginPlace{"connector", "sqlite"},
                                          options);
  }
  void save_all(const std::vector<std::string>& saves) const {
    const auto plugin = load();
    auto& connector = plugin->as<stoq::Connector>();
    connector.connect({.results = true});
    for (const auto& lines : saves) connector.save(lines, 1);
    connector.disconnect();
  }
  static bool keep(const LoadedPlugin& plugin, stoq::Bytes bytes, const std::string& hash) {
    const stoq::Payload payload{std::move(bytes), "name", {}, 0, stoq::Tlp::white};
    return plugin.as<stoq::Connector>().archive(payload, {hash, "root", {}});
  }
  static bool keep(const LoadedPlugin& plugin, const std::string& bytes, const std::string& hash) {
    return keep(plugin, stoq::Bytes::own(bytes), hash);
  }
  [[nodiscard]] std::string get(const std::string& hash) const {
    const auto plugin = load();
    auto& connector = plugin->as<stoq::Connector>();
    connector.connect({.fetch = true});
    VectorBuffer buffer(std::size_t{64} << 20);
    connector.get_file({hash, {}}, buffer);
    return std::string(stoq::as_chars(buffer.view()));
  }
  /// What sqlite3(1) answers.
  std::string ask(const std::string& sql) const {
    const auto command = "sqlite3 -batch '" + path_ + "' \"" + sql + "\" 2>&1";
    std::string text, block(1 << 16, '\0');
    auto* pipe = ::popen(command.c_str(), "r");
    for (std::size_t got = 0; (got = std::fread(block.data(), 1, block.size(), pipe)) > 0;) {
      text.append(block, 0, got);
    }
    EXPECT_EQ(::pclose(pipe), 0) << text;
    return text;
  }
  [[nodiscard]] std::string problem_of_connecting(stoq::Options::Map options = {}) const {
    return message([&] { load(options)->as<stoq::Connector>().connect({.results = true}); });
  }

  std::string path_;
};

TEST_F(Sqlite, MakesColumnsOfWhatAnalystsAskFor) {
  save_all({record("01") + record("02", "corrupt"), record("03")});
  EXPECT_EQ(ask("SELECT * FROM record WHERE id = '02'"),
            "2|02|r00t|r00t|1|a.zip!b|corrupt|text|text/plain|3|" + std::string(hash_of_abc) + "|" +
                record("02", "corrupt"));
  EXPECT_EQ(ask("SELECT count(*), sum(typeof(size) = 'integer' AND typeof(depth) = 'integer') FROM "
                "record"),
            "3|3\n");
  EXPECT_EQ(ask("PRAGMA integrity_check; PRAGMA journal_mode;"), "ok\nwal\n");
}

TEST_F(Sqlite, LeavesAbsentWhatARecordLacks) {
  save_all({"{\"stoq\":{\"id\":\"1\",\"status\":\"filtered\"}}\n", "{\"payloads\":1}\n",
            "{\"payloads\":2}\n"});
  EXPECT_EQ(ask("SELECT id, status FROM record WHERE size IS NULL AND sha256 IS NULL AND mime IS "
                "NULL ORDER BY number"),
            "1|filtered\n|\n|\n");
}

TEST_F(Sqlite, AddsToAFileAndReplacesRecordsOfTheSameId) {
  save_all({record("01"), record("02")});
  save_all({record("02", "io_error"), record("03")});
  EXPECT_EQ(ask("SELECT id, status FROM record ORDER BY id"), "01|ok\n02|io_error\n03|ok\n");
}

TEST_F(Sqlite, IsReadWhileItIsWritten) {
  const auto plugin = load();
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true});
  // A transaction holds 20,000 rows at most.
  for (int i = 0; i < 45'000; ++i) connector.save(record(std::to_string(i)), 1);
  EXPECT_GT(std::stoi(ask("SELECT count(*) FROM record")), 25'000);
  connector.disconnect();
  EXPECT_EQ(ask("SELECT count(*) FROM record"), "45000\n");
}

TEST_F(Sqlite, KeepsEachPayloadOnceAndBringsItBack) {
  std::string large;
  for (std::uint32_t i = 0; large.size() < std::size_t{5} << 20; ++i) {
    large += std::to_string(i * 2654435761U);
  }
  {
    const auto plugin = load();
    plugin->as<stoq::Connector>().connect({.archive = true});
    EXPECT_TRUE(keep(*plugin, "abc", hash_of_abc));
    EXPECT_FALSE(keep(*plugin, "abc", hash_of_abc));
    EXPECT_TRUE(keep(*plugin, large, std::string(64, 'a')));
    EXPECT_FALSE(keep(*plugin, large, std::string(64, 'a')));
    EXPECT_TRUE(keep(*plugin, "", std::string(64, 'e')));
    plugin->as<stoq::Connector>().disconnect();
  }
  EXPECT_EQ(ask("SELECT sha256, size, length(content), typeof(content) FROM payload ORDER BY size"),
            std::string(64, 'e') + "|0|0|blob\n" + hash_of_abc + "|3|3|blob\n" +
                std::string(64, 'a') + "|" + std::to_string(large.size()) + "|" +
                std::to_string(large.size()) + "|blob\n");
  EXPECT_EQ(ask("SELECT content FROM payload WHERE size = 3"), "abc\n");
  EXPECT_EQ(get(hash_of_abc), "abc");
  EXPECT_EQ(get(std::string(64, 'a')), large);
  EXPECT_EQ(get(std::string(64, 'e')), "");
  EXPECT_TRUE(has(message([&] { (void)get(std::string(64, '0')); }), "nothing is kept under 0000"));
  EXPECT_TRUE(has(message([&] { (void)get("x"); }), "SHA-256"));
}

TEST_F(Sqlite, TakesResultsAndPayloadsFromManyThreads) {
  const auto plugin = load();
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true, .archive = true});
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 200; ++i) keep(*plugin, std::to_string(i), std::to_string(1000 + i));
      });
    }
    for (int i = 0; i < 500; ++i) connector.save(record(std::to_string(i)), 1);
  }
  connector.disconnect();
  EXPECT_EQ(ask("SELECT (SELECT count(*) FROM record), (SELECT count(*) FROM payload)"),
            "500|200\n");
}

TEST_F(Sqlite, RefusesABlobThatSqliteCannotHold) {
  // Pages that nobody touches cost nothing.
  const std::size_t size = std::size_t{3} << 30;
  void* pages =
      ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  const auto plugin = load();
  plugin->as<stoq::Connector>().connect({.archive = true});
  const stoq::Bytes bytes(std::shared_ptr<const void>(),
                          {static_cast<const std::byte*>(pages), size});
  const auto problem = message([&] { keep(*plugin, bytes, hash_of_abc); });
  EXPECT_TRUE(has(problem, "3221225472 bytes are more than SQLite keeps in a row")) << problem;
  EXPECT_TRUE(has(problem, "connector:file"));
  EXPECT_TRUE(keep(*plugin, "abc", hash_of_abc));
  plugin->as<stoq::Connector>().disconnect();
  ::munmap(pages, size);
  EXPECT_EQ(ask("SELECT count(*) FROM payload"), "1\n");
}

TEST_F(Sqlite, SaysWhatIsWrongWithTheFile) {
  EXPECT_TRUE(has(problem_of_connecting({{"path", ""}}), "no path"));
  EXPECT_TRUE(has(problem_of_connecting({{"path", "/no/such/x.db"}}), "unable to open"));
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_TRUE(has(problem_of_connecting(), "it is no SQLite database"));
  fs::remove(path_);
  ask("CREATE TABLE t (a)");
  EXPECT_TRUE(has(problem_of_connecting(), "not one of stoq's"));
  fs::remove(path_);
  save_all({});
  ask("PRAGMA user_version = 99");
  EXPECT_TRUE(has(problem_of_connecting(), "of version 99"));
  EXPECT_TRUE(has(message([&] { (void)get(hash_of_abc); }), "of version 99"));
  fs::remove(path_);
  EXPECT_TRUE(has(message([&] { (void)get(hash_of_abc); }), "No such file"));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(Sqlite, SaysThatAnotherProgramWrites) {
  const auto first = load(), second = load({{"wait", "0"}});
  first->as<stoq::Connector>().connect({.results = true});
  second->as<stoq::Connector>().connect({.results = true});
  first->as<stoq::Connector>().save(record("01"), 1);
  const auto problem = message([&] { second->as<stoq::Connector>().save(record("02"), 1); });
  EXPECT_TRUE(has(problem, "database is locked; another program is writing to it")) << problem;
  first->as<stoq::Connector>().disconnect();
  second->as<stoq::Connector>().save(record("03"), 1);
  second->as<stoq::Connector>().disconnect();
  EXPECT_EQ(ask("SELECT id FROM record ORDER BY id"), "01\n03\n");
}

TEST_F(Sqlite, CountsWhatAFullDiskTook) {
  save_all({});
  const auto plugin = load();
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true, .archive = true});
  connector.save(record("01"), 1);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  // No file may grow: as good as a full disk. What is written beyond is SIGXFSZ or EFBIG.
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{200'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto archived =
      message([&] { keep(*plugin, std::string(std::size_t{8} << 20, 'x'), std::string(64, 'b')); });
  const auto finished = message([&] { connector.disconnect(); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_TRUE(has(archived, path_)) << archived;
  // The row of before is either in the file or counted as lost.
  const auto rows = ask("SELECT count(*) FROM record");
  EXPECT_EQ(rows == "0\n", has(finished, "1 results and payloads are not in")) << rows << finished;
  EXPECT_EQ(ask("SELECT count(*) FROM payload"), "0\n");
  EXPECT_EQ(ask("PRAGMA integrity_check"), "ok\n");
}

}  // namespace
