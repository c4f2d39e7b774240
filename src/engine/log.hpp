/// Where the run's log goes: standard error, and a file if one is named.
#pragma once

#include <memory>
#include <string_view>

#include <stoq/plugin.hpp>

#include "engine/config.hpp"

namespace stoq::engine {

/// Writes lines of time (UTC), level, logger and message, with control characters escaped.
/// Thread-safe.
class Log {
 public:
  /// Throws ConfigError when the file cannot be opened.
  explicit Log(const LogSettings& settings = {});
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Writes one line. `logger` says who speaks: "worker:yara"; empty: the engine.
  void write(LogLevel level, std::string_view logger, std::string_view message);
  /// Writes one line to the file alone: what the user is told in another way.
  void record(LogLevel level, std::string_view message);

 private:
  struct Sinks;
  std::unique_ptr<Sinks> sinks_;
};

}  // namespace stoq::engine
