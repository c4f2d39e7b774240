/// Roots that are files.
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fakes.hpp"

namespace {

using namespace stoq;
namespace fs = std::filesystem;

std::string hex(ByteView bytes) {
  std::string out;
  support::append_hex(out, bytes);
  return out;
}

class LoaderTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("stoq_loader_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
    world_.add_standard();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view bytes) const {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path.string();
  }
  fakes::Ran scan(const std::vector<std::pair<std::string, std::string>>& files) {
    return world_.run_source([&](Intake& intake) {
      for (const auto& [path, file] : files) {
        Root root;
        root.path = path;
        root.file = file;
        intake.put(std::move(root));
      }
    });
  }

  fakes::World world_;
  fs::path folder_;
};

TEST_F(LoaderTest, ReadsAllSizes) {
  std::vector<std::pair<std::string, std::string>> files;
  fakes::Members bytes;
  for (const std::size_t size :
       {0UL, 1UL, 4095UL, 4096UL, 4097UL, 262'143UL, 262'144UL, 1'000'000UL}) {
    const auto name = "f" + std::to_string(size);
    bytes.emplace_back(name, std::string(size, 'x'));
    files.emplace_back(name, write(name, bytes.back().second));
  }
  const auto ran = scan(files);
  fakes::expect_conserved(ran, files.size());
  EXPECT_EQ(ran.lines, world_.run(bytes).lines) << "as from memory";
  world_.memory = 1;
  EXPECT_EQ(scan(files).lines, ran.lines);
}

TEST_F(LoaderTest, SizesThatAreNotWanted) {
  world_.config.min_size = 10;
  world_.config.max_size = 20;
  const auto ran = scan({{"small", write("small", std::string(9, 'x'))},
                         {"least", write("least", std::string(10, 'x'))},
                         {"most", write("most", std::string(20, 'y'))},
                         {"large", write("large", std::string(21, 'x'))}});
  fakes::expect_conserved(ran, 4);
  EXPECT_EQ(ran.status("small"), "filtered");
  EXPECT_EQ(ran.at("small")["stoq"]["errors"][0]["kind"], "min_size");
  EXPECT_EQ(ran.status("least"), "ok");
  EXPECT_EQ(ran.status("most"), "ok");
  EXPECT_EQ(ran.status("large"), "filtered");
  EXPECT_EQ(ran.at("large")["stoq"]["errors"][0]["kind"], "max_size");
}

TEST_F(LoaderTest, WhatIsNoRegularFile) {
  const auto pipe = (folder_ / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto loop = folder_ / "loop";
  fs::create_symlink(loop, loop);
  const auto ran = scan({{"missing", (folder_ / "missing").string()},
                         {"folder", folder_.string()},
                         {"pipe", pipe},
                         {"device", "/dev/zero"},
                         {"loop", loop.string()},
                         {"good", write("good", "leaf")}});
  fakes::expect_conserved(ran, 6);
  EXPECT_EQ(ran.status("missing"), "io_error");
  EXPECT_EQ(ran.status("folder"), "filtered");
  EXPECT_EQ(ran.status("pipe"), "filtered");
  EXPECT_EQ(ran.status("device"), "filtered");
  EXPECT_EQ(ran.status("loop"), "io_error");
  EXPECT_EQ(ran.status("good"), "ok");
}

/// Files that claim to be empty and are not.
TEST_F(LoaderTest, FilesThatLieAboutTheirSize) {
  const auto ran = scan({{"version", "/proc/version"}});
  ASSERT_EQ(ran.records.size(), 1U);
  std::ifstream file("/proc/version");
  const std::string truth((std::istreambuf_iterator<char>(file)), {});
  EXPECT_EQ(ran.records[0]["file"]["size"], truth.size());
}

TEST_F(LoaderTest, StatusOfTheSourceStands) {
  const auto ran = world_.run_source([](Intake& intake) {
    Root root;
    root.path = "denied";
    root.status = Status::io_error;
    root.message = "permission denied";
    root.meta = {{"owner", "somebody"}};
    intake.put(std::move(root));
  });
  ASSERT_EQ(ran.records.size(), 1U);
  EXPECT_EQ(ran.status("denied"), "io_error");
  EXPECT_EQ(ran.records[0]["stoq"]["errors"][0]["message"], "permission denied");
  EXPECT_EQ(ran.records[0]["stoq"]["meta"]["owner"], "somebody");
}

/// Small files are loaded several at a time; each keeps its own digests, whatever stands between.
TEST_F(LoaderTest, ManyAtOnce) {
  world_.config.digests = {.md5 = true, .sha1 = true, .sha512 = true};
  std::vector<std::pair<std::string, std::string>> files;
  std::vector<std::string> contents;
  for (std::size_t i = 0; i < 200; ++i) {
    const auto size = i % 50 == 49 ? 300'000 + i : i * 37 % 5000;
    contents.push_back("file " + std::to_string(i) + std::string(size, 'x'));
    const auto name = "f" + std::to_string(i);
    const auto path = write(name, contents.back());
    files.emplace_back(name, i % 17 == 3 ? path + ".missing" : path);
  }
  for (const unsigned threads : {1U, 3U}) {
    world_.threads = threads;
    const auto ran = scan(files);
    fakes::expect_conserved(ran, files.size());
    support::Digester digester({.md5 = true, .sha1 = true, .sha512 = true});
    for (std::size_t i = 0; i < files.size(); ++i) {
      SCOPED_TRACE(files[i].first);
      if (i % 17 == 3) {
        EXPECT_EQ(ran.status(files[i].first), "io_error");
        continue;
      }
      const auto digest = digester.digest(as_bytes(contents[i]));
      const auto& hash = ran.at(files[i].first)["file"]["hash"];
      EXPECT_EQ(hash["sha256"], hex(digest.sha256));
      EXPECT_EQ(hash["md5"], hex(digest.md5));
      EXPECT_EQ(hash["sha1"], hex(digest.sha1));
      EXPECT_EQ(hash["sha512"], hex(digest.sha512));
    }
  }
}

/// From 8 MiB on a file is mapped: the same records as from a copy in memory.
TEST_F(LoaderTest, LargeFilesAreMapped) {
  const std::string inside(std::size_t{8} << 20, 'q');
  const auto large = fakes::box("BOXE", {{"one", inside}, {"two", "leaf"}});
  const auto file = write("large", large);
  const auto ran = scan({{"large", file}});
  fakes::expect_conserved(ran, 1);
  EXPECT_EQ(ran.records.size(), 3U);
  EXPECT_EQ(ran.lines, world_.run({{"large", large}}).lines);
  EXPECT_EQ(ran.peak, 0U) << "a mapping is not charged";
}

}  // namespace
