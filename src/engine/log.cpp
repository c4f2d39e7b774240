#include "engine/log.hpp"

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "support/text.hpp"

namespace stoq::engine {
namespace {

constexpr auto engine_logger = "stoq";

spdlog::level::level_enum level_of(LogLevel level) {
  constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                  spdlog::level::warn, spdlog::level::err,
                                                  spdlog::level::critical};
  return levels[static_cast<std::size_t>(level)];
}

void set_up(spdlog::sinks::sink& sink, LogLevel level) {
  sink.set_level(level_of(level));
  sink.set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %l [%n] %v",
                                                                 spdlog::pattern_time_type::utc));
}

}  // namespace

struct Log::Sinks {
  using Loggers = std::map<std::string, spdlog::logger, std::less<>>;

  /// The logger of that name; made when it first speaks.
  spdlog::logger& logger(std::string_view name) {
    auto known = loggers.find(name);
    if (known == loggers.end()) {
      spdlog::logger fresh(std::string(name), all.begin(), all.end());
      fresh.set_level(spdlog::level::debug);
      fresh.flush_on(spdlog::level::debug);
      known = loggers.emplace(name, std::move(fresh)).first;
    }
    return known->second;
  }

  std::mutex mutex;  // guards all of it: the sinks do not lock
  std::vector<spdlog::sink_ptr> all;
  spdlog::sink_ptr file;
  Loggers loggers;
};

Log::Log(const LogSettings& settings) : sinks_(std::make_unique<Sinks>()) {
  sinks_->all.push_back(std::make_shared<spdlog::sinks::stderr_sink_st>());
  set_up(*sinks_->all.back(), settings.level.value_or(LogLevel::warning));
  if (settings.file.empty()) return;
  try {
    sinks_->file = std::make_shared<spdlog::sinks::rotating_file_sink_st>(
        settings.file, settings.max_bytes, settings.count);
  } catch (const spdlog::spdlog_ex& error) {
    throw ConfigError(settings.file + ": the log cannot be written there: " +
                      support::one_line(error.what()) + "; name another file with --log-file");
  }
  set_up(*sinks_->file, settings.level.value_or(LogLevel::info));
  sinks_->all.push_back(sinks_->file);
}

Log::~Log() = default;

void Log::write(LogLevel level, std::string_view logger, std::string_view message) {
  const auto line = support::one_line(message);
  const std::lock_guard lock(sinks_->mutex);
  sinks_->logger(logger.empty() ? engine_logger : logger).log(level_of(level), line);
}

void Log::record(LogLevel level, std::string_view message) {
  if (sinks_->file == nullptr) return;
  const auto line = support::one_line(message);
  const std::lock_guard lock(sinks_->mutex);
  spdlog::logger logger(engine_logger, sinks_->file);
  logger.set_level(spdlog::level::debug);
  logger.log(level_of(level), line);
  logger.flush();
}

}  // namespace stoq::engine
