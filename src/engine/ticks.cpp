#include "engine/ticks.hpp"

#include <chrono>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>

#include <sys/resource.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace stoq::engine {
namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t steady() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

#if defined(__x86_64__)
std::int64_t counter() noexcept { return static_cast<std::int64_t>(__rdtsc()); }

bool kernel_uses_counter() {
  std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
  std::string name;
  return std::getline(file, name) && name == "tsc";
}

/// Both clocks at one moment, as nearly as a busy machine allows: the closest of some readings.
struct Moment {
  Moment() noexcept {
    std::int64_t best = second;
    for (int i = 0; i < 10; ++i) {
      const auto before = counter();
      const auto now = steady();
      const auto after = counter();
      if (after - before >= best) continue;
      best = after - before;
      ticks = before + best / 2;
      time = now;
    }
  }
  std::int64_t ticks = 0, time = 0;
};
#endif

}  // namespace

#if defined(__x86_64__)
Ticks::Ticks() : counter_(kernel_uses_counter()) {
  if (!counter_) return;
  const Moment begin;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Moment end;
  counter_ = end.ticks > begin.ticks && end.time > begin.time;
  if (counter_) {
    nanoseconds_a_tick_ =
        static_cast<double>(end.time - begin.time) / static_cast<double>(end.ticks - begin.ticks);
  }
}

std::int64_t Ticks::now() const noexcept { return counter_ ? counter() : steady(); }
#else
Ticks::Ticks() = default;

std::int64_t Ticks::now() const noexcept { return steady(); }
#endif

std::int64_t thread_cpu() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * second + time.tv_nsec;
}

std::int64_t process_cpu() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * second +
         (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

}  // namespace stoq::engine
