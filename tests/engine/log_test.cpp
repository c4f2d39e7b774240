#include "engine/log.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace {

using stoq::LogLevel;
using stoq::engine::Log;
using stoq::engine::LogSettings;
namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) /
              ("stoq_log_" + std::string(test->name()) + std::to_string(::getpid()));
    fs::create_directories(folder_);
    settings_.file = (folder_ / "stoq.log").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] Lines lines(const std::string& name = "stoq.log") const {
    Lines all;
    std::ifstream in(folder_ / name);
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }

  fs::path folder_;
  LogSettings settings_;
};

/// What a log at this level writes of one line a level: their levels, as standard error and the
/// file have them.
std::pair<Lines, Lines> levels(const LogSettings& settings) {
  testing::internal::CaptureStderr();
  {
    Log log(settings);
    for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error,
                             LogLevel::critical}) {
      log.write(level, "worker:w", "message");
    }
  }
  std::istringstream shown(testing::internal::GetCapturedStderr());
  std::ifstream file(settings.file);
  const auto second_words = [](std::istream& in) {
    Lines words;
    std::string time, level;
    for (std::string rest; in >> time >> level && std::getline(in, rest);) words.push_back(level);
    return words;
  };
  return {second_words(shown), second_words(file)};
}

TEST_F(LogTest, WritesWhatTheLevelAsksFor) {
  const Lines all{"debug", "info", "warning", "error", "critical"};
  auto [shown, filed] = levels(settings_);
  EXPECT_EQ(shown, Lines(all.begin() + 2, all.end()));
  EXPECT_EQ(filed, Lines(all.begin() + 1, all.end()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    fs::remove(settings_.file);
    settings_.level = static_cast<LogLevel>(i);
    std::tie(shown, filed) = levels(settings_);
    const Lines wanted(all.begin() + static_cast<std::ptrdiff_t>(i), all.end());
    EXPECT_EQ(shown, wanted);
    EXPECT_EQ(filed, wanted);
  }
}

TEST_F(LogTest, LinesHaveTimeLevelLoggerAndMessage) {
  testing::internal::CaptureStderr();
  Log log(settings_);
  log.write(LogLevel::warning, "worker:yara", "rule\nsays \x1b[2J {} %s");
  log.write(LogLevel::error, {}, "of the engine");
  log.record(LogLevel::info, "for the file");
  const auto shown = testing::internal::GetCapturedStderr();
  const std::string time = R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z )";
  const Lines wanted{time + R"(warning \[worker:yara\] rule\\x0asays \\x1b\[2J \{\} %s)",
                     time + R"(error \[stoq\] of the engine)",
                     time + R"(info \[stoq\] for the file)"};
  const auto written = lines();
  ASSERT_EQ(written.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_TRUE(std::regex_match(written[i], std::regex(wanted[i]))) << written[i];
  }
  EXPECT_EQ(shown, written[0] + "\n" + written[1] + "\n");
}

TEST_F(LogTest, RotatesByItsSizeAndKeepsSoMany) {
  settings_.max_bytes = 1000;
  settings_.count = 2;
  testing::internal::CaptureStderr();
  {
    Log log(settings_);
    for (int i = 1000; i < 1100; ++i) log.record(LogLevel::info, "line " + std::to_string(i));
  }
  (void)testing::internal::GetCapturedStderr();
  Lines kept;
  for (const auto* name : {"stoq.2.log", "stoq.1.log", "stoq.log"}) {
    EXPECT_LE(fs::file_size(folder_ / name), 1000U);
    for (const auto& line : lines(name)) kept.push_back(line.substr(line.find("line")));
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 3);
  ASSERT_GT(kept.size(), 20U);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    EXPECT_EQ(kept[i], "line " + std::to_string(1100 - kept.size() + i)) << "the newest, in order";
  }
}

TEST_F(LogTest, ThreadsWriteWholeLines) {
  constexpr int threads = 8, each = 200;
  testing::internal::CaptureStderr();
  {
    Log log(settings_);
    std::vector<std::jthread> writers;
    for (int t = 0; t < threads; ++t) {
      writers.emplace_back([&log, t] {
        const auto name = "worker:w" + std::to_string(t);
        for (int i = 0; i < each; ++i) log.write(LogLevel::info, name, "line " + std::to_string(i));
      });
    }
  }
  (void)testing::internal::GetCapturedStderr();
  std::vector<int> next(threads);
  for (const auto& line : lines()) {
    std::smatch parts;
    ASSERT_TRUE(
        std::regex_match(line, parts, std::regex(R"(\S+ info \[worker:w(\d)\] line (\d+))")))
        << line;
    EXPECT_EQ(std::stoi(parts[2]), next[static_cast<std::size_t>(std::stoi(parts[1]))]++);
  }
  EXPECT_EQ(next, std::vector<int>(threads, each));
}

TEST_F(LogTest, AFileThatCannotBeWrittenIsRefused) {
  fs::create_directories(folder_ / "folder");
  settings_.file = (folder_ / "folder").string();
  try {
    const Log log(settings_);
    FAIL() << "it was taken";
  } catch (const stoq::ConfigError& error) {
    const std::string message = error.what();
    EXPECT_TRUE(message.starts_with(settings_.file)) << message;
    EXPECT_NE(message.find("--log-file"), message.npos) << message;
  }
}

}  // namespace
