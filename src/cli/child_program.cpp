#include "cli/child_program.hpp"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stoq/error.hpp>

namespace stoq::cli {
namespace {

namespace fs = std::filesystem;

/// How long a program may take to end when it is asked to.
constexpr timespec patience{5, 0};

std::set<pid_t> children() {
  std::set<pid_t> found;
  std::error_code ignored;
  for (const auto& thread : fs::directory_iterator("/proc/self/task", ignored)) {
    std::ifstream list(thread.path() / "children");
    for (pid_t child = 0; list >> child;) found.insert(child);
  }
  return found;
}

/// This process's environment with `changes` in it, as "NAME=VALUE".
std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& changes) {
  std::map<std::string, std::string> variables;
  for (char** item = environ; *item != nullptr; ++item) {
    const std::string_view text = *item;
    const auto equals = text.find('=');
    if (equals != text.npos)
      variables[std::string(text.substr(0, equals))] = text.substr(equals + 1);
  }
  for (const auto& [name, value] : changes) variables[name] = value;
  std::vector<std::string> texts;
  for (const auto& [name, value] : variables) texts.push_back(name + "=" + value);
  return texts;
}

/// As exec takes them; `texts` must outlive it.
std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (auto& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

/// What posix_spawn() is told.
class Spawning {
 public:
  Spawning() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&how);
  }
  ~Spawning() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&how);
  }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;

  posix_spawn_file_actions_t files{};
  posix_spawnattr_t how{};
};

}  // namespace

ChildPrograms::ChildPrograms() : others_(children()) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&stops_, signal);
  signals_ = stops_;
  ::sigaddset(&signals_, SIGCHLD);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  // What loses its parent becomes a child of ours, and can be ended.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

ChildPrograms::~ChildPrograms() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  // A signal that came when all was done is of no use any more.
  constexpr timespec none{0, 0};
  while (::sigtimedwait(&signals_, nullptr, &none) > 0) continue;
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int ChildPrograms::run(const Program& program) {
  check();
  return wait_for(start(program), !program.log.empty());
}

void ChildPrograms::check() {
  constexpr timespec none{0, 0};
  if (::sigtimedwait(&stops_, nullptr, &none) > 0) throw Interrupted();
}

pid_t ChildPrograms::start(const Program& program) const {
  Spawning spawning;
  int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
  ::posix_spawnattr_setsigmask(&spawning.how, &before_);
  sigset_t defaults{};
  ::sigaddset(&defaults, SIGPIPE);  // which main() ignores
  ::posix_spawnattr_setsigdefault(&spawning.how, &defaults);
  if (!program.log.empty()) {
    flags |= POSIX_SPAWN_SETPGROUP;
    ::posix_spawn_file_actions_addopen(&spawning.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&spawning.files, STDOUT_FILENO, program.log.c_str(),
                                       O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::posix_spawn_file_actions_adddup2(&spawning.files, STDOUT_FILENO, STDERR_FILENO);
  }
  ::posix_spawnattr_setflags(&spawning.how, static_cast<short>(flags));
  auto words = program.words;
  auto variables = environment_with(program.environment);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, words.front().c_str(), &spawning.files, &spawning.how,
                                     pointers(words).data(), pointers(variables).data());
  if (failure != 0) {
    throw IoError(words.front() + " cannot be started: " + std::strerror(failure) +
                  "; is it installed?");
  }
  return child;
}

int ChildPrograms::wait_for(pid_t child, bool own_group) {
  int status = 0;
  bool stopped = false;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    // A program that has the terminal (apt-get) is never killed.
    const bool hurry = stopped && own_group;
    const int signal =
        hurry ? ::sigtimedwait(&signals_, nullptr, &patience) : ::sigwaitinfo(&signals_, nullptr);
    if (signal == SIGCHLD) continue;
    if (signal > 0) {
      stopped = true;
      ::kill(own_group ? -child : child, own_group ? SIGTERM : signal);
    } else if (errno == EAGAIN) {
      ::kill(-child, SIGKILL);
    }
  }
  if (stopped) {
    if (own_group) end_all();
    throw Interrupted();
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void ChildPrograms::end_all() const {
  for (bool some = true; some;) {
    some = false;
    for (const auto child : children()) {
      if (others_.contains(child)) continue;
      some = true;
      ::kill(child, SIGKILL);
      ::waitpid(child, nullptr, 0);
    }
  }
}

}  // namespace stoq::cli
