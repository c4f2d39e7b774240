#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <stoq/plugin.hpp>

#include "plugins/connector_test.hpp"
#include "plugins/loaded_plugin.hpp"

namespace {

namespace fs = std::filesystem;
using stoq::Status;
using stoq::testing::ConnectorTest;
using stoq::testing::LoadedPlugin;

constexpr std::chrono::seconds deadline{60};

/// Keeps what it is given, and can be held up by the test.
class Gate : public stoq::Intake {
 public:
  bool put(stoq::Root root) override {
    std::unique_lock lock(mutex_);
    paths_.insert(root.path);
    roots_.push_back(std::move(root));
    // As the engine does once it has read the file.
    roots_.back().hold.reset();
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    return true;
  }
  bool produce(stoq::Root, std::uint64_t, stoq::Children::Fill) override { return false; }
  void expect(std::uint64_t, std::uint64_t) override {}
  [[nodiscard]] bool stopping() const noexcept override {
    const std::lock_guard lock(mutex_);
    return stopping_;
  }

  void open(bool open) {
    const std::lock_guard lock(mutex_);
    open_ = open;
    changed_.notify_all();
  }
  void stop() {
    const std::lock_guard lock(mutex_);
    stopping_ = open_ = true;
    changed_.notify_all();
  }
  /// Waits until a root of that status and path was put.
  bool wait_for(const std::string& status, const std::string& path) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] {
      return std::any_of(roots_.begin(), roots_.end(), [&](const stoq::Root& root) {
        return root.path == path && to_string(root.status) == status;
      });
    });
  }
  /// Waits until so many roots were put.
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return roots_.size() >= count; });
  }
  /// Waits until roots of so many different paths were put.
  bool wait_for_paths(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return paths_.size() >= count; });
  }
  [[nodiscard]] std::size_t paths() const {
    const std::lock_guard lock(mutex_);
    return paths_.size();
  }
  /// "status path" of each, sorted.
  std::vector<std::string> names() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& root : roots_) {
      names.push_back(std::string(to_string(root.status)) + " " + root.path);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<stoq::Root> roots_;
  std::set<std::string> paths_;
  bool open_ = true, stopping_ = false;
};

using Names = std::vector<std::string>;

class Dirmon : public ConnectorTest {
 protected:
  void SetUp() override {
    ConnectorTest::SetUp();
    fs::create_directory(in());
    fs::create_directory(outside());
  }
  void TearDown() override {
    finish();
    ConnectorTest::TearDown();
  }

  [[nodiscard]] fs::path in() const { return folder_ / "in"; }
  [[nodiscard]] fs::path outside() const { return folder_ / "outside"; }

  static void write(const fs::path& path, const std::string& text = "x") {
    std::ofstream(path, std::ios::binary) << text;
  }

  /// Watches, and waits until it does.
  void start(const stoq::Options::Map& options = {}, stoq::Input input = {}) {
    plugin_ =
        std::make_unique<LoadedPlugin>(stoq::testing::PluginPlace{"source", "dirmon"}, options);
    input.paths = {in().string()};
    thread_ = std::thread([this, input] {
      try {
        plugin_->as<stoq::Source>().ingest(input, gate_);
      } catch (const stoq::Error& error) {
        failure_ = error.what();
      }
    });
    // What is written before the watch stands may be taken for old: until one came, it does not.
    for (int i = 0; gate_.names().empty() && i < 6000; ++i) {
      write(in() / ("sign" + std::to_string(i)));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    write(in() / "begin");
    ASSERT_TRUE(wait_for("ok", "begin"));
  }
  void finish() {
    gate_.stop();
    if (thread_.joinable()) thread_.join();
  }
  bool wait_for(const std::string& status, const std::string& name) {
    return gate_.wait_for(status, (in() / name).string());
  }
  /// Waits until the file was put: then all that happened before was looked at.
  void sync(const std::string& name) {
    write(in() / name);
    ASSERT_TRUE(wait_for("ok", name)) << name;
  }
  /// Likewise, until what is waited with had its time: as an empty file that is linked here has.
  void sync_settled(const std::string& name) {
    write(outside() / name, "");
    fs::create_hard_link(outside() / name, in() / name);
    ASSERT_TRUE(wait_for("ok", name)) << name;
  }
  /// What came, without folder_ and without the test's own signs.
  [[nodiscard]] Names came() const {
    Names found;
    for (const auto& name : gate_.names()) {
      const auto at = name.find(in().string());
      const auto path = name.substr(at + in().string().size() + 1);
      if (path.starts_with("sign") || path == "begin" || path.starts_with("sync")) continue;
      found.push_back(name.substr(0, at) + path);
    }
    return found;
  }
  /// Holds the source up in put(), so that what the test does meanwhile is seen together.
  void hold_up() {
    gate_.open(false);
    const auto count = gate_.names().size();
    write(in() / ("sync-hold" + std::to_string(count)));
    ASSERT_TRUE(gate_.wait_for(count + 1));
  }

  Gate gate_;
  std::unique_ptr<LoadedPlugin> plugin_;
  std::thread thread_;
  std::string failure_;
};

TEST_F(Dirmon, TakesFilesHoweverTheyCome) {
  start();
  write(in() / "written");
  write(outside() / "m");
  fs::rename(outside() / "m", in() / "moved");
  write(outside() / "l");
  fs::create_hard_link(outside() / "l", in() / "linked");
  write(in() / "empty", "");
  fs::create_directories(in() / "sub/deep");
  write(in() / "sub/deep/file");
  fs::create_directories(outside() / "tree/deep");
  write(outside() / "tree/deep/old");
  fs::rename(outside() / "tree", in() / "tree");
  fs::create_symlink("written", in() / "link");
  for (const auto* name :
       {"written", "moved", "linked", "empty", "sub/deep/file", "tree/deep/old"}) {
    ASSERT_TRUE(wait_for("ok", name)) << name;
  }
  sync("sync");
  EXPECT_EQ(came(), (Names{"filtered link", "ok empty", "ok linked", "ok moved", "ok sub/deep/file",
                           "ok tree/deep/old", "ok written"}));
}

TEST_F(Dirmon, LeavesAloneWhatIsStillWritten) {
  start();
  std::ofstream file(in() / "slow", std::ios::binary);
  file << "half" << std::flush;
  sync("sync1");
  EXPECT_EQ(came(), Names{});
  file << "whole" << std::flush;
  file.close();
  sync("sync2");
  EXPECT_EQ(came(), Names{"ok slow"});
}

TEST_F(Dirmon, TakesARenamedFileOnceAndAChangedOneAgain) {
  start();
  fs::create_directory(in() / "sub");
  write(in() / "a");
  sync("sync1");
  fs::rename(in() / "a", in() / "b");
  fs::rename(in() / "b", in() / "sub/c");
  // Times that are set afterwards are no change of the content.
  fs::last_write_time(in() / "sub/c", fs::file_time_type::clock::now() - std::chrono::hours(1));
  fs::rename(in() / "sub/c", in() / "d");
  sync("sync2");
  EXPECT_EQ(came(), Names{"ok a"});
  write(in() / "d", "other");
  sync("sync3");
  EXPECT_EQ(came(), (Names{"ok a", "ok d"}));
}

TEST_F(Dirmon, SaysWhichFilesWereGone) {
  start();
  hold_up();
  write(in() / "gone");
  fs::remove(in() / "gone");
  write(in() / "away");
  fs::rename(in() / "away", outside() / "away");
  // A name that was another's on the way is no loss.
  write(in() / "part.tmp");
  fs::rename(in() / "part.tmp", in() / "part");
  fs::create_directory(in() / "folder");
  write(in() / "folder/file");
  fs::rename(in() / "folder", in() / "renamed");
  gate_.open(true);
  ASSERT_TRUE(wait_for("io_error", "gone"));
  ASSERT_TRUE(wait_for("io_error", "away"));
  ASSERT_TRUE(wait_for("ok", "renamed/file"));
  sync("sync");
  EXPECT_EQ(came(), (Names{"io_error away", "io_error gone", "ok part", "ok renamed/file"}));
}

class Overflow : public Dirmon, public ::testing::WithParamInterface<std::size_t> {};

// What is remembered; with less than what comes at once, the oldest that are forgotten may come
// twice where the file system's clock cannot tell them from the next, but nothing is lost.
INSTANTIATE_TEST_SUITE_P(Remembered, Overflow, ::testing::Values(200'000, 1000));

TEST_P(Overflow, LosesNothing) {
  std::size_t most = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> most;
  ASSERT_GT(most, 0U);
  if (most > 100'000) GTEST_SKIP() << "fs.inotify.max_queued_events is " << most;
  start({{"remember", std::to_string(GetParam())}});
  hold_up();
  const auto count = most;  // two events each
  const auto before = gate_.paths();
  for (std::size_t i = 0; i < count; ++i) write(in() / ("f" + std::to_string(i)), "");
  gate_.open(true);
  ASSERT_TRUE(gate_.wait_for_paths(before + count));
  sync_settled("sync");
  auto names = came();
  if (GetParam() > count) {
    EXPECT_EQ(names.size(), count);
  }
  names.erase(std::unique(names.begin(), names.end()), names.end());
  EXPECT_EQ(names.size(), count);
}

// Empty when its making is told, it is waited with; its closing tells that it is finished, and it
// does not come again, also where it has been forgotten by then.
// It is open to write all the while; that it does not change says nothing.
TEST_F(Dirmon, WaitsWithAnEmptyFileForItsWriter) {
  start();
  std::ofstream file(in() / "late", std::ios::binary);
  file.flush();
  sync_settled("sync1");
  sync_settled("sync2");
  EXPECT_EQ(came(), Names{});
  file << "text";
  file.close();
  sync("sync3");
  EXPECT_EQ(came(), Names{"ok late"});
}

TEST_F(Dirmon, TakesAFileOnceThatWasWaitedWith) {
  start({{"remember", "1"}});
  hold_up();
  for (const auto* name : {"a", "b", "c"}) write(in() / name, "");
  gate_.open(true);
  sync_settled("sync");
  EXPECT_EQ(came(), (Names{"ok a", "ok b", "ok c"}));
}

TEST_F(Dirmon, WatchesAFolderThatIsMadeAgain) {
  start();
  fs::remove_all(in());
  while (plugin_->host().lines().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  fs::create_directories(in() / "sub");
  write(in() / "sub/again");
  sync("sync");
  ASSERT_TRUE(wait_for("ok", "sub/again"));
}

TEST_F(Dirmon, TakesWhatIsThereWhenAsked) {
  write(in() / "old");
  fs::last_write_time(in() / "old", fs::file_time_type::clock::now() - std::chrono::hours(1));
  start({{"existing", "true"}});
  sync("sync");
  EXPECT_EQ(came(), Names{"ok old"});
}

TEST_F(Dirmon, LeavesAloneWhatIsThere) {
  write(in() / "old");
  // The clock that file systems read is coarse.
  struct stat facts {};
  ASSERT_EQ(::stat((in() / "old").c_str(), &facts), 0);
  timespec now{};
  do {
    ASSERT_EQ(::clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
  } while (now.tv_sec == facts.st_ctim.tv_sec && now.tv_nsec <= facts.st_ctim.tv_nsec);
  start();
  sync("sync");
  EXPECT_EQ(came(), Names{});
}

TEST_F(Dirmon, MatchesGlobsAndKeepsToTheFolder) {
  stoq::Input input;
  input.exclude = {"*.tmp"};
  fs::create_directory(in() / "sub");
  start({{"recursive", "false"}}, input);
  write(in() / "sub/file");
  write(in() / "x.tmp");
  sync("sync1");
  EXPECT_EQ(came(), Names{"filtered x.tmp"});
  fs::rename(in() / "x.tmp", in() / "x");
  sync("sync2");
  EXPECT_EQ(came(), (Names{"filtered x.tmp", "ok x"}));
}

TEST_F(Dirmon, EndsByItself) {
  for (const auto& options : {stoq::Options::Map{{"idle_seconds", "0.05"}},
                              stoq::Options::Map{{"most_files", "1"}, {"existing", "true"}}}) {
    write(in() / "file");
    LoadedPlugin plugin({"source", "dirmon"}, options);
    stoq::Input input;
    input.paths = {in().string()};
    plugin.as<stoq::Source>().ingest(input, gate_);
  }
}

TEST_F(Dirmon, RefusesWhatItCannotWatch) {
  LoadedPlugin plugin({"source", "dirmon"}, {});
  const auto refusal = [&](const stoq::Input& input) {
    return message([&] { plugin.as<stoq::Source>().ingest(input, gate_); });
  };
  stoq::Input input;
  EXPECT_TRUE(ConnectorTest::has(refusal(input), "name a folder"));
  input.paths = {(folder_ / "none").string()};
  EXPECT_TRUE(ConnectorTest::has(refusal(input), "No such file"));
  write(folder_ / "file");
  input.paths = {(folder_ / "file").string()};
  EXPECT_TRUE(ConnectorTest::has(refusal(input), "Not a directory"));
}

}  // namespace
