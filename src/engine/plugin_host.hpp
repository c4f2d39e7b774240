/// The host that one plugin sees.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <stoq/plugin.hpp>

#include "engine/log.hpp"
#include "support/json.hpp"

namespace stoq::engine {

class PluginRegistry;

class PluginHost final : public Host {
 public:
  /// `logger`: the plugin's name in the log. Log and registry must outlive the host.
  PluginHost(Log& log, PluginRegistry& registry, unsigned threads, std::string logger)
      : log_(log), registry_(registry), threads_(threads), logger_(std::move(logger)) {}

  void log(LogLevel level, std::string_view message) override {
    log_.write(level, logger_, message);
  }
  [[nodiscard]] const Reader* reader(std::string_view name) override;
  [[nodiscard]] unsigned threads() const noexcept override { return threads_; }
  [[nodiscard]] Value parse_json(std::string_view text) const override {
    return support::parse_json(text);
  }

 private:
  Log& log_;
  PluginRegistry& registry_;
  unsigned threads_;
  std::string logger_;
};

}  // namespace stoq::engine
