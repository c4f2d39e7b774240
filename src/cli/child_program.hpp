/// Runs other programs so that a signal leaves none of them behind.
#pragma once

#include <csignal>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace stoq::cli {

/// Thrown once SIGINT, SIGTERM or SIGHUP has come, when nothing runs any more.
class Interrupted {};

struct Program {
  std::vector<std::string> words;  ///< its name, looked for along $PATH, and its arguments
  /// Where what it writes is added; empty: it has this program's terminal to itself.
  std::string log;
  std::vector<std::pair<std::string, std::string>> environment;  ///< set besides ours
};

/// Takes SIGINT, SIGTERM and SIGHUP while it lives. Construct one, on the only thread.
class ChildPrograms {
 public:
  ChildPrograms();
  ~ChildPrograms();
  ChildPrograms(const ChildPrograms&) = delete;
  ChildPrograms& operator=(const ChildPrograms&) = delete;

  /// Its exit code; 128 and the signal's number when one ended it. Throws IoError when it cannot be
  /// started, and Interrupted, after it and all that it started have ended.
  int run(const Program& program);
  /// Throws Interrupted when a signal has come.
  void check();

 private:
  [[nodiscard]] pid_t start(const Program& program) const;
  int wait_for(pid_t child, bool own_group);
  void end_all() const;

  sigset_t signals_{}, stops_{}, before_{};
  std::set<pid_t> others_;  ///< children that were there before
};

}  // namespace stoq::cli
