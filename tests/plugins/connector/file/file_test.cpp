#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <stoq/plugin.hpp>

#include "plugins/connector_test.hpp"
#include "plugins/loaded_plugin.hpp"

namespace {

namespace fs = std::filesystem;
using stoq::testing::LoadedPlugin;

std::string read_all(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// The output of a shell command; its exit code must be zero.
std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), [](FILE* file) {
    EXPECT_EQ(::pclose(file), 0);
    return 0;
  });
  std::string text, block(1 << 16, '\0');
  for (std::size_t got = 0; (got = std::fread(block.data(), 1, block.size(), pipe.get())) > 0;) {
    text.append(block, 0, got);
  }
  return text;
}

std::string message_of(const std::exception& error) { return error.what(); }

class File : public stoq::testing::ConnectorTest {
 protected:
  [[nodiscard]] std::string in(const std::string& name) const { return (folder_ / name).string(); }

  static std::unique_ptr<LoadedPlugin> load(const std::string& path,
                                            stoq::Options::Map options = {}) {
    options.emplace("path", path);
    return std::make_unique<LoadedPlugin>(stoq::testing::PluginPlace{"connector", "file"}, options);
  }
  static void save_all(const std::string& path, const std::vector<std::string>& saves,
                       const stoq::Options::Map& options = {}) {
    const auto plugin = load(path, options);
    auto& connector = plugin->as<stoq::Connector>();
    connector.connect({.results = true});
    for (const auto& lines : saves) connector.save(lines, 1);
    connector.disconnect();
  }
  /// Lines of about 5 MB that compress somewhat.
  static std::vector<std::string> many_lines() {
    std::vector<std::string> saves;
    for (unsigned i = 0; i < 50'000; ++i) {
      saves.push_back("{\"n\":" + std::to_string(i * 2654435761U) + ",\"text\":\"" +
                      std::string(80, static_cast<char>('a' + i % 26)) + "\"}\n");
    }
    return saves;
  }
  static std::string joined(const std::vector<std::string>& saves) {
    std::string text;
    for (const auto& part : saves) text += part;
    return text;
  }
};

TEST_F(File, WritesEveryByteInOrder) {
  save_all(in("small.jsonl"), {"{}\n", "{\"a\":1}\n"});
  EXPECT_EQ(read_all(in("small.jsonl")), "{}\n{\"a\":1}\n");
  save_all(in("empty.jsonl"), {});
  EXPECT_TRUE(fs::exists(in("empty.jsonl")));
  EXPECT_EQ(read_all(in("empty.jsonl")), "");
  const auto saves = many_lines();
  save_all(in("large.jsonl"), saves);
  EXPECT_EQ(read_all(in("large.jsonl")), joined(saves));
}

TEST_F(File, CompressesByNameAsGzipReadsIt) {
  const auto saves = many_lines();
  for (const auto& options : {stoq::Options::Map{}, stoq::Options::Map{{"level", "1"}},
                              stoq::Options::Map{{"level", "12"}}}) {
    save_all(in("out.jsonl.gz"), saves, options);
    output_of("gzip -t '" + in("out.jsonl.gz") + "'");
    EXPECT_EQ(output_of("gzip -dc '" + in("out.jsonl.gz") + "'"), joined(saves));
    EXPECT_LT(fs::file_size(in("out.jsonl.gz")), joined(saves).size() / 2);
  }
  save_all(in("empty.gz"), {});
  output_of("gzip -t '" + in("empty.gz") + "'");
  EXPECT_EQ(output_of("gzip -dc '" + in("empty.gz") + "'"), "");
}

TEST_F(File, CompressesByNameAsZstdReadsIt) {
  const auto saves = many_lines();
  for (const auto& options : {stoq::Options::Map{}, stoq::Options::Map{{"level", "1"}}}) {
    save_all(in("out.jsonl.zst"), saves, options);
    output_of("zstd -qt '" + in("out.jsonl.zst") + "'");
    EXPECT_EQ(output_of("zstd -qdc '" + in("out.jsonl.zst") + "'"), joined(saves));
    EXPECT_LT(fs::file_size(in("out.jsonl.zst")), joined(saves).size() / 2);
  }
  save_all(in("empty.zst"), {});
  output_of("zstd -qt '" + in("empty.zst") + "'");
  EXPECT_EQ(output_of("zstd -qdc '" + in("empty.zst") + "'"), "");
}

TEST_F(File, WritesTheSameBytesForTheSameResults) {
  const auto saves = many_lines();
  for (const auto* name : {"a.gz", "a.zst"}) {
    save_all(in(name), saves);
    const auto first = read_all(in(name));
    save_all(in(name), saves);
    EXPECT_EQ(read_all(in(name)), first) << name;
  }
}

TEST_F(File, AppearsUnderItsNameOnlyWhenWhole) {
  const auto path = in("out.jsonl");
  std::ofstream(path) << "before";
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  const auto plugin = load(path, {{"sync", "true"}});
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true});
  connector.save(std::string(std::size_t{2} << 20, 'x') + "\n", 1);
  EXPECT_EQ(read_all(path), "before");
  EXPECT_EQ(fs::file_size(path + ".part"), (std::size_t{2} << 20) + 1);
  connector.disconnect();
  EXPECT_EQ(fs::file_size(path), (std::size_t{2} << 20) + 1);
  EXPECT_FALSE(fs::exists(path + ".part"));
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(File, ReplacesTheRestOfAKilledRun) {
  std::ofstream(in("out.jsonl.part")) << std::string(100, 'x');
  save_all(in("out.jsonl"), {"{}\n"});
  EXPECT_EQ(read_all(in("out.jsonl")), "{}\n");
}

TEST_F(File, ReplacesTheFileALinkPointsTo) {
  fs::create_directory(in("other"));
  std::ofstream(in("other/real.jsonl")) << "before";
  fs::create_symlink("other/real.jsonl", in("link.jsonl"));
  save_all(in("link.jsonl"), {"{}\n"});
  EXPECT_TRUE(fs::is_symlink(in("link.jsonl")));
  EXPECT_EQ(read_all(in("other/real.jsonl")), "{}\n");
}

TEST_F(File, TwoRunsDoNotShareAFile) {
  const auto first = load(in("out.jsonl")), second = load(in("out.jsonl"));
  first->as<stoq::Connector>().connect({.results = true});
  first->as<stoq::Connector>().save("{\"first\":1}\n", 1);
  EXPECT_THROW(second->as<stoq::Connector>().connect({.results = true}), stoq::IoError);
  first->as<stoq::Connector>().disconnect();
  EXPECT_EQ(read_all(in("out.jsonl")), "{\"first\":1}\n");
}

TEST_F(File, AddsToWhatIsThere) {
  const stoq::Options::Map append{{"append", "true"}};
  for (const auto* name : {"out.jsonl", "out.gz", "out.zst"}) {
    save_all(in(name), {"{\"run\":1}\n"});
    save_all(in(name), {"{\"run\":2}\n", "{\"run\":3}\n"}, append);
    save_all(in(name), {}, append);
    save_all(in(name), {"{\"run\":4}\n"}, append);
    EXPECT_FALSE(fs::exists(in(name) + ".part"));
  }
  const std::string all = "{\"run\":1}\n{\"run\":2}\n{\"run\":3}\n{\"run\":4}\n";
  EXPECT_EQ(read_all(in("out.jsonl")), all);
  EXPECT_EQ(output_of("gzip -dc '" + in("out.gz") + "'"), all);
  EXPECT_EQ(output_of("zstd -qdc '" + in("out.zst") + "'"), all);
  save_all(in("new.jsonl"), {"{}\n"}, append);
  EXPECT_EQ(read_all(in("new.jsonl")), "{}\n");
}

TEST_F(File, AddsNothingToHalfALine) {
  std::ofstream(in("out.jsonl")) << "{}\n{\"ha";
  save_all(in("out.jsonl"), {"{\"run\":2}\n"}, {{"append", "true"}});
  EXPECT_EQ(read_all(in("out.jsonl")), "{}\n{\"ha\n{\"run\":2}\n");
}

TEST_F(File, AddsAloneToAFile) {
  const stoq::Options::Map append{{"append", "true"}};
  const auto first = load(in("out.jsonl"), append), second = load(in("out.jsonl"), append);
  first->as<stoq::Connector>().connect({.results = true});
  EXPECT_THROW(second->as<stoq::Connector>().connect({.results = true}), stoq::IoError);
  EXPECT_THROW(load(in("x"), {{"append", "true"}, {"form", "json"}}), stoq::ConfigError);
}

/// Files of this process may not grow beyond a size while it lives: a disk that is full.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t size) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{size, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_F(File, TakesBackWhatDoesNotFitWhole) {
  const std::string line = std::string((std::size_t{1} << 20) - 1, 'x') + "\n";
  std::ofstream(in("out.jsonl")) << "{}\n";
  const auto plugin = load(in("out.jsonl"), {{"append", "true"}});
  auto& connector = plugin->as<stoq::Connector>();
  connector.connect({.results = true});
  connector.save(line, 1);
  {
    const SmallDisk disk((std::size_t{1} << 20) + 1000);
    EXPECT_THROW(connector.save(line, 1), stoq::IoError);
  }
  EXPECT_EQ(read_all(in("out.jsonl")), "{}\n" + line);
}

TEST_F(File, SaysWhatCannotBeCreated) {
  fs::create_directory(in("folder"));
  for (const auto& path : {in("gone/out.jsonl"), in("folder"), in(std::string(300, 'n'))}) {
    const auto plugin = load(path);
    try {
      plugin->as<stoq::Connector>().connect({.results = true});
      ADD_FAILURE() << path;
    } catch (const stoq::IoError& error) {
      EXPECT_NE(message_of(error).find(path), std::string::npos) << error.what();
    }
  }
  EXPECT_TRUE(fs::is_directory(in("folder")));
}

TEST_F(File, RefusesOptionsThatMakeNoSense) {
  const stoq::testing::PluginPlace place{"connector", "file"};
  EXPECT_THROW(LoadedPlugin{place}.as<stoq::Connector>().connect({.results = true}),
               stoq::ConfigError);
  EXPECT_THROW(load(in("x"), {{"level", "high"}}), stoq::ConfigError);
  for (const auto* name : {"x.gz", "x.zst"}) {
    EXPECT_THROW(
        load(in(name), {{"level", "99"}})->as<stoq::Connector>().connect({.results = true}),
        stoq::ConfigError);
  }
}

TEST_F(File, WritesDevicesInPlaceAndSaysThatTheyAreFull) {
  const auto null = load("/dev/null");
  null->as<stoq::Connector>().connect({.results = true});
  null->as<stoq::Connector>().save("{}\n", 1);
  null->as<stoq::Connector>().disconnect();
  EXPECT_FALSE(fs::exists("/dev/null.part"));

  const auto full = load("/dev/full");
  auto& connector = full->as<stoq::Connector>();
  connector.connect({.results = true});
  EXPECT_THROW(connector.save(std::string(std::size_t{2} << 20, 'x'), 1), stoq::IoError);
  EXPECT_NO_THROW(connector.disconnect());
  EXPECT_THROW(connector.save(std::string(std::size_t{2} << 20, 'x'), 1), stoq::IoError);
}

}  // namespace
