#include "engine/run_host.hpp"

#include <iostream>
#include <string>

namespace stoq::engine {

void RunHost::log(LogLevel level, std::string_view message) {
  if (level == LogLevel::debug) return;
  constexpr std::string_view words[] = {"debug", "info", "warning", "error"};
  std::string line = "stoq: ";
  ((line += words[static_cast<std::size_t>(level)]) += ": ") += message;
  line += '\n';
  const std::lock_guard lock(mutex_);
  std::cerr << line;
}

}  // namespace stoq::engine
