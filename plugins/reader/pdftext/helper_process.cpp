#include "helper_process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pdftext {
namespace {

[[noreturn]] void fail(const std::string& what, int error) {
  throw stoq::IoError("pdftext: " + what + ": " + std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

int memory_file(const char* name) {
  const int file = ::memfd_create(name, MFD_CLOEXEC);
  if (file < 0) fail("a file in memory cannot be made", errno);
  return file;
}

void write_all(int file, stoq::ByteView bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("the PDF cannot be handed over", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::size_t read_at(int file, void* to, std::size_t size, std::uint64_t at) {
  std::size_t done = 0;
  while (done < size) {
    const auto count =
        ::pread(file, static_cast<char*>(to) + done, size - done, static_cast<off_t>(at + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

/// What posix_spawn() needs, released at the end.
class SpawnPlan {
 public:
  SpawnPlan(int input, int output) {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawn_file_actions_adddup2(&files_, input, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawnattr_init(&attributes_);
    sigset_t all;
    ::sigfillset(&all);
    sigset_t none;
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    // A group of its own: an interrupt from the keyboard is for us to act on.
    ::posix_spawnattr_setflags(
        &attributes_, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&files_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  [[nodiscard]] pid_t spawn(std::vector<std::string>& words, std::string& variable) const {
    std::vector<char*> arguments;
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::array<char*, 2> environment{variable.data(), nullptr};
    pid_t child = -1;
    const int error = ::posix_spawn(&child, arguments[0], &files_, &attributes_, arguments.data(),
                                    environment.data());
    if (error != 0) fail(words.front() + " cannot be started", error);
    return child;
  }

 private:
  posix_spawn_file_actions_t files_{};
  posix_spawnattr_t attributes_{};
};

/// The helper while it runs; killed and waited for at the end.
class Child {
 public:
  explicit Child(pid_t number)
      : number_(number), file_(static_cast<int>(::syscall(SYS_pidfd_open, number, 0))) {}
  ~Child() { (void)finish(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Whether it has ended, for which it waits a moment.
  [[nodiscard]] bool has_ended() {
    pollfd watch{file_.get(), POLLIN, 0};
    return ::poll(&watch, file_.get() < 0 ? 0 : 1, 20) > 0 || try_wait(WNOHANG);
  }
  /// Its status as of waitpid(); kills it first if it runs.
  int finish() {
    if (!ended_ && !try_wait(WNOHANG)) {
      ::kill(number_, SIGKILL);
      try_wait(0);
    }
    return status_;
  }

 private:
  bool try_wait(int options) {
    if (ended_) return true;
    pid_t got = 0;
    do got = ::waitpid(number_, &status_, options);
    while (got < 0 && errno == EINTR);
    ended_ = got != 0;
    return ended_;
  }

  pid_t number_;
  Descriptor file_;
  int status_ = 0;
  bool ended_ = false;
};

std::string in_words(int status) {
  if (WIFSIGNALED(status)) {
    const auto signal = WTERMSIG(status);
    if (signal == SIGXCPU || signal == SIGKILL) return "it takes longer than `timeout` allows";
    return std::string("it brought its reader down (") + ::strsignal(signal) + ")";
  }
  return "its reader gave up (exit status " + std::to_string(WEXITSTATUS(status)) +
         "; it may need more than max_memory)";
}

bool is_known(int status) {
  if (!WIFEXITED(status)) return false;
  const auto end = static_cast<End>(WEXITSTATUS(status));
  return end == End::done || end == End::malformed || end == End::locked || end == End::full;
}

/// What the helper wrote, checked: it may have been taken over by the file that it read.
void take_output(int file, const Limits& limits, Reading& reading) {
  if (read_at(file, &reading.report, sizeof(Report), 0) != sizeof(Report)) reading.report = {};
  struct stat facts {};
  ::fstat(file, &facts);
  const auto there = static_cast<std::uint64_t>(std::max<off_t>(facts.st_size, sizeof(Report)));
  const auto size = std::min({reading.report.size, limits.text, there - sizeof(Report)});
  reading.text.resize(static_cast<std::size_t>(size));
  reading.text.resize(read_at(file, reading.text.data(), reading.text.size(), sizeof(Report)));
}

}  // namespace

Reading run_helper(const std::string& helper, stoq::ByteView pdf,
                   const std::vector<std::string>& passwords, const Limits& limits,
                   const stoq::Request& request) {
  const Descriptor input(memory_file("pdf"));
  const Descriptor output(memory_file("text"));
  write_all(input.get(), pdf);
  std::vector<std::string> words{helper, std::to_string(limits.memory),
                                 std::to_string(limits.time.count() + limits.time.count() / 2 + 1),
                                 std::to_string(limits.text), std::to_string(limits.pages)};
  std::string variable = std::string(passwords_variable) + "=";
  for (const auto& password : passwords) variable += password + "\n";
  const auto end = std::chrono::steady_clock::now() + limits.time;
  Child child(SpawnPlan(input.get(), output.get()).spawn(words, variable));
  Reading reading;
  bool late = false;
  while (!child.has_ended() && !reading.stopped && !late) {
    reading.stopped = request.stop_requested();
    late = std::chrono::steady_clock::now() > end;
  }
  const int status = child.finish();
  take_output(output.get(), limits, reading);
  if (is_known(status)) {
    reading.end = static_cast<End>(WEXITSTATUS(status));
  } else {
    reading.failure = in_words(status);
  }
  return reading;
}

std::string beside_library(const std::string& name) {
  Dl_info facts{};
  if (::dladdr(reinterpret_cast<const void*>(&run_helper), &facts) == 0) return name;
  std::string path = facts.dli_fname;
  return path.substr(0, path.rfind('/') + 1) + name;
}

}  // namespace pdftext
