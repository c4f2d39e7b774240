#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <stoq/plugin.hpp>

#include "plugins/loaded_plugin.hpp"

namespace {

using stoq::testing::LoadedPlugin;

/// Puts another file in the place of standard output while it lives.
class StandardOutput {
 public:
  explicit StandardOutput(int descriptor) : before_(::dup(STDOUT_FILENO)) {
    ::dup2(descriptor, STDOUT_FILENO);
  }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;
  ~StandardOutput() {
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }

 private:
  int before_;
};

/// All that comes out of a pipe.
struct Drain {
  std::string text;
  void read(int end) {
    std::string block(1 << 16, '\0');
    for (ssize_t got = 0; (got = ::read(end, block.data(), block.size())) > 0;) {
      text.append(block, 0, static_cast<std::size_t>(got));
    }
  }
};

std::string save_all(const std::vector<std::string>& saves) {
  int pipe[2] = {-1, -1};
  EXPECT_EQ(::pipe(pipe), 0);
  Drain drain;
  std::thread reader([&] { drain.read(pipe[0]); });
  {
    const StandardOutput redirected(pipe[1]);
    ::close(pipe[1]);
    const LoadedPlugin plugin({"connector", "stdout"});
    auto& connector = plugin.as<stoq::Connector>();
    connector.connect({.results = true});
    for (const auto& lines : saves) connector.save(lines, 1);
    connector.disconnect();
  }
  reader.join();
  ::close(pipe[0]);
  return drain.text;
}

TEST(Stdout, WritesEveryByteInOrder) {
  EXPECT_EQ(save_all({}), "");
  EXPECT_EQ(save_all({"{}\n", "{\"a\":1}\n"}), "{}\n{\"a\":1}\n");
  std::vector<std::string> saves;
  std::string all;
  for (int i = 0; i < 3000; ++i) {
    saves.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i), 'x') + "\n");
    all += saves.back();
  }
  saves.emplace_back(std::size_t{3} << 20, 'y');
  all += saves.back();
  saves.emplace_back("end\n");
  all += saves.back();
  EXPECT_EQ(save_all(saves), all);
}

TEST(Stdout, WritesInLargeBlocks) {
  int pipe[2] = {-1, -1};
  ASSERT_EQ(::pipe2(pipe, O_NONBLOCK), 0);
  const StandardOutput redirected(pipe[1]);
  const LoadedPlugin plugin({"connector", "stdout"});
  auto& connector = plugin.as<stoq::Connector>();
  connector.connect({.results = true});
  connector.save("{}\n", 1);
  char byte = 0;
  EXPECT_EQ(::read(pipe[0], &byte, 1), -1) << "a small result was not held back";
  connector.disconnect();
  EXPECT_EQ(::read(pipe[0], &byte, 1), 1);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(Stdout, WritesAtOnceToATerminal) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  const int screen = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY);
  ASSERT_GE(screen, 0);
  const StandardOutput redirected(screen);
  const LoadedPlugin plugin({"connector", "stdout"});
  auto& connector = plugin.as<stoq::Connector>();
  connector.connect({.results = true});
  connector.save("{}\n", 1);
  std::string seen(16, '\0');
  const auto got = ::read(terminal, seen.data(), seen.size());
  ASSERT_GT(got, 0);
  EXPECT_EQ(seen.substr(0, 2), "{}");
  connector.disconnect();
  ::close(screen);
  ::close(terminal);
}

TEST(Stdout, SaysThatTheReaderWentAway) {
  std::signal(SIGPIPE, SIG_IGN);
  int pipe[2] = {-1, -1};
  ASSERT_EQ(::pipe(pipe), 0);
  ::close(pipe[0]);
  const StandardOutput redirected(pipe[1]);
  ::close(pipe[1]);
  const LoadedPlugin plugin({"connector", "stdout"});
  auto& connector = plugin.as<stoq::Connector>();
  connector.connect({.results = true});
  connector.save("{}\n", 1);
  try {
    connector.disconnect();
    ADD_FAILURE() << "nobody read, and nothing was said";
  } catch (const stoq::IoError& error) {
    EXPECT_STREQ(error.what(), "standard output was closed");
  }
  EXPECT_NO_THROW(connector.disconnect());
}

TEST(Stdout, SaysThatTheDiskIsFull) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  const StandardOutput redirected(full);
  ::close(full);
  const LoadedPlugin plugin({"connector", "stdout"});
  auto& connector = plugin.as<stoq::Connector>();
  connector.connect({.results = true});
  EXPECT_THROW(connector.save(std::string(std::size_t{2} << 20, 'x'), 1), stoq::IoError);
}

}  // namespace
