/// The connector `file` as an archive: what it keeps, where, and whom it gives what.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <stoq/plugin.hpp>
#include <stoq/testing.hpp>

#include "plugins/connector_test.hpp"
#include "plugins/loaded_plugin.hpp"
#include "plugins/truth.hpp"

namespace {

namespace fs = std::filesystem;
using stoq::testing::LoadedPlugin;
using stoq::testing::read_file;
using stoq::testing::VectorBuffer;

// From sha256sum and sha1sum.
constexpr const char* sha256_of_abc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* sha1_of_abc = "a9993e364706816aba3e25717850c26c9cd0d89d";

class FileArchive : public stoq::testing::ConnectorTest {
 protected:
  std::unique_ptr<LoadedPlugin> load(stoq::Options::Map options = {}) {
    options.emplace("archive_base", (folder_ / "archive").string());
    return std::make_unique<LoadedPlugin>(stoq::testing::PluginPlace{"connector", "file"}, options);
  }
  static bool keep(const LoadedPlugin& plugin, const std::string& bytes, const std::string& hash) {
    const stoq::Payload payload{stoq::Bytes::own(bytes), "../../name", {}, 0, stoq::Tlp::white};
    return plugin.as<stoq::Connector>().archive(payload, {hash, "root", {}});
  }
  static std::string get(const LoadedPlugin& plugin, const stoq::FileQuery& query,
                         std::size_t most = std::size_t{1} << 20) {
    VectorBuffer buffer(most);
    plugin.as<stoq::Connector>().get_file(query, buffer);
    return std::string(stoq::as_chars(buffer.view()));
  }
  void write(const fs::path& path, const std::string& bytes) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path, std::ios::binary) << bytes;
  }
  std::vector<std::string> files() {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "archive")) {
      if (!entry.is_directory()) {
        found.push_back(entry.path().lexically_relative(folder_ / "archive").string());
      }
    }
    return found;
  }
};

TEST_F(FileArchive, NamesFilesByTheirHashInFiveFolders) {
  for (const auto* sync : {"false", "true"}) {
    const auto plugin = load({{"sync", sync}});
    plugin->as<stoq::Connector>().connect({.archive = true, .fetch = true});
    EXPECT_TRUE(keep(*plugin, "abc", sha256_of_abc));
    EXPECT_FALSE(keep(*plugin, "abc", sha256_of_abc));
    EXPECT_EQ(files(), std::vector<std::string>{"b/a/7/8/1/" + std::string(sha256_of_abc)});
    EXPECT_EQ(read_file(folder_ / "archive" / files().front()), "abc");
    EXPECT_EQ(get(*plugin, {sha256_of_abc, {}}), "abc");
    fs::remove_all(folder_ / "archive");
  }
}

TEST_F(FileArchive, BringsBackWhatStoqNamedBySha1) {
  write(fs::path("archive/a/9/9/9/3") / sha1_of_abc, "abc");
  const auto plugin = load();
  plugin->as<stoq::Connector>().connect({.fetch = true});
  EXPECT_EQ(get(*plugin, {sha1_of_abc, {}}), "abc");
  EXPECT_NE(message([&] {
              get(*plugin, {sha256_of_abc, {}});
            }).find("nothing is kept under ba78"),
            std::string::npos);
  EXPECT_NE(message([&] {
              get(*plugin, {"../../../../x", {}});
            }).find("is no hash"),
            std::string::npos);
}

TEST_F(FileArchive, LeavesWhatIsThere) {
  const auto place = fs::path("archive/b/a/7/8/1") / sha256_of_abc;
  const auto plugin = load();
  plugin->as<stoq::Connector>().connect({.archive = true});
  write(place, "xyz");
  EXPECT_FALSE(keep(*plugin, "abc", sha256_of_abc));
  EXPECT_EQ(read_file(folder_ / place), "xyz");
  write(place, "cut");
  fs::resize_file(folder_ / place, 1);
  EXPECT_NE(message([&] { keep(*plugin, "abc", sha256_of_abc); }).find("has 1 bytes"),
            std::string::npos);
  fs::remove(folder_ / place);
  fs::create_symlink("/etc/passwd", folder_ / place);
  EXPECT_NE(message([&] { keep(*plugin, "abc", sha256_of_abc); }).find("no regular file"),
            std::string::npos);
}

TEST_F(FileArchive, LeavesNothingHalfBehind) {
  const auto plugin = load();
  plugin->as<stoq::Connector>().connect({.archive = true});
  // A folder on the way that is a file.
  write("archive/b/a", "in the way");
  EXPECT_THROW(keep(*plugin, "abc", sha256_of_abc), stoq::IoError);
  EXPECT_EQ(files(), std::vector<std::string>{"b/a"});
}

TEST_F(FileArchive, TakesTheSameBytesFromManyThreadsOnce) {
  const auto plugin = load();
  plugin->as<stoq::Connector>().connect({.archive = true});
  const std::string bytes(300'000, 'x');
  std::atomic<int> first{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] { first += keep(*plugin, bytes, sha256_of_abc) ? 1 : 0; });
    }
  }
  EXPECT_EQ(first, 1);
  EXPECT_EQ(files().size(), 1U);
  EXPECT_EQ(read_file(folder_ / "archive" / files().front()), bytes);
}

TEST_F(FileArchive, SaysAtOnceWhereItCannotWrite) {
  write("archive", "a file");
  EXPECT_THROW(load()->as<stoq::Connector>().connect({.archive = true}), stoq::IoError);
  EXPECT_THROW(load({{"archive_base", ""}})->as<stoq::Connector>().connect({.archive = true}),
               stoq::ConfigError);
}

TEST_F(FileArchive, KeepsToTheLimitOfWhoFetches) {
  const auto plugin = load();
  plugin->as<stoq::Connector>().connect({.archive = true, .fetch = true});
  ASSERT_TRUE(keep(*plugin, "abc", sha256_of_abc));
  EXPECT_EQ(get(*plugin, {sha256_of_abc, {}}, 3), "abc");
  EXPECT_THROW(get(*plugin, {sha256_of_abc, {}}, 2), stoq::LimitReached);
}

TEST_F(FileArchive, FetchesByPathBelowItsFoldersOnly) {
  write("in/a/file", "inside");
  write("in-side/file", "outside");
  write("out/file", "outside");
  fs::create_symlink("a", folder_ / "in/link");
  fs::create_symlink("../out", folder_ / "in/escape");
  fs::create_symlink(folder_ / "out/file", folder_ / "in/escaped-file");
  ASSERT_EQ(::mkfifo((folder_ / "in/fifo").c_str(), 0600), 0);
  const auto plugin = load({{"source_base_tuple", (folder_ / "in").string()}});
  plugin->as<stoq::Connector>().connect({.fetch = true});
  const auto in = (folder_ / "in").string();
  for (const auto& path : {in + "/a/file", in + "/link/file", in + "/../in//a/./file"}) {
    EXPECT_EQ(get(*plugin, {{}, path}), "inside") << path;
  }
  for (const auto& path :
       {in + "/../out/file", in + "/escape/file", in + "/escaped-file", in + "-side/file",
        std::string("/etc/passwd"), in + "/no/such", std::string("/no/such"), in, std::string()}) {
    EXPECT_NE(message([&] {
                get(*plugin, {{}, path});
              }).find("outside the folders"),
              std::string::npos)
        << path;
  }
  EXPECT_NE(message([&] {
              get(*plugin, {{}, in + "/fifo"});
            }).find("no regular file"),
            std::string::npos);
  EXPECT_NE(message([&] {
              get(*plugin, {{}, in + "/a"});
            }).find("no regular file"),
            std::string::npos);
  const auto closed = load();
  closed->as<stoq::Connector>().connect({.fetch = true});
  EXPECT_NE(message([&] {
              get(*closed, {{}, in + "/a/file"});
            }).find("source_base_tuple"),
            std::string::npos);
  EXPECT_THROW(
      load({{"source_base_tuple", "/no/such"}})->as<stoq::Connector>().connect({.fetch = true}),
      stoq::ConfigError);
}

TEST_F(FileArchive, WritesOneArrayWhenAsked) {
  const auto path = (folder_ / "out.json").string();
  const auto write_lines = [&](const std::vector<std::string>& saves) {
    const auto plugin = load({{"path", path}, {"form", "json"}});
    auto& connector = plugin->as<stoq::Connector>();
    connector.connect({.results = true});
    for (const auto& lines : saves) connector.save(lines, 1);
    connector.disconnect();
    return nlohmann::json::parse(read_file(path));
  };
  EXPECT_EQ(write_lines({"{\"a\":1}\n{\"a\":2}\n", "{\"a\":3}\n"}),
            nlohmann::json::parse(R"([{"a":1},{"a":2},{"a":3}])"));
  EXPECT_EQ(write_lines({}), nlohmann::json::array());
  EXPECT_THROW(load({{"form", "xml"}}), stoq::ConfigError);
}

}  // namespace
