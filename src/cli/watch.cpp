#include "cli/watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <string_view>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/progress.hpp"

namespace stoq::cli {
namespace {

constexpr int redraw_milliseconds = 200;
constexpr int interrupted_code = 130;

int checked(int descriptor, const char* what) {
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
  return descriptor;
}

void show(std::string_view text) {
  // A terminal that cannot be written to has nobody in front of it.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

SignalBlock::SignalBlock() {
  ::sigemptyset(&signals_);
  ::sigaddset(&signals_, SIGINT);
  ::sigaddset(&signals_, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

SignalBlock::~SignalBlock() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool SignalBlock::wait(double seconds) const {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(seconds));
  for (;;) {
    const auto left = std::max(end - Clock::now(), Clock::duration::zero());
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec time{whole.count(), (left - whole).count()};
    if (::sigtimedwait(&signals_, nullptr, &time) > 0) return true;
    if (errno != EINTR) return false;
  }
}

Watch::Watch(const SignalBlock& block, bool draw)
    : draw_(draw),
      signals_(checked(::signalfd(-1, &block.signals(), SFD_CLOEXEC), "signalfd")),
      ended_(checked(::eventfd(0, EFD_CLOEXEC), "eventfd")),
      thread_([this] { loop(); }) {}

void Watch::follow(engine::Run& run) noexcept {
  run_ = &run;
  if (interrupted_) run.interrupt();
}

void Watch::finish() {
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  // An eventfd whose counter is zero takes eight bytes.
  [[maybe_unused]] const auto written = ::write(ended_, &one, sizeof one);
  thread_.join();
}

Watch::~Watch() {
  finish();
  ::close(signals_);
  ::close(ended_);
}

void Watch::loop() {
  ProgressMeter meter;
  std::array<pollfd, 2> waits{{{signals_, POLLIN, 0}, {ended_, POLLIN, 0}}};
  for (;;) {
    const int ready = ::poll(waits.data(), waits.size(), draw_ ? redraw_milliseconds : -1);
    if (ready > 0 && waits[1].revents != 0) break;
    if (ready > 0 && waits[0].revents != 0) take_signal();
    if (const auto* run = run_.load(); ready == 0 && run != nullptr) {
      const auto line = meter.line(run->progress(), std::chrono::steady_clock::now());
      show("\r" + clipped(interrupted_ ? "stopping … " + line : line, terminal_width() - 1) +
           "\x1b[K");
    }
  }
  if (draw_) show("\r\x1b[K");
}

void Watch::take_signal() {
  signalfd_siginfo about{};
  if (::read(signals_, &about, sizeof about) != static_cast<ssize_t>(sizeof about)) return;
  if (interrupted_.exchange(true)) ::_exit(interrupted_code);
  if (auto* run = run_.load(); run != nullptr) run->interrupt();
}

}  // namespace stoq::cli
