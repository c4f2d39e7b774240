/// The host that plugins see: log lines on stderr, readers, the number of threads.
#pragma once

#include <mutex>
#include <string_view>

#include <stoq/plugin.hpp>

#include "engine/plugin_registry.hpp"

namespace stoq::engine {

class RunHost final : public Host {
 public:
  explicit RunHost(unsigned threads) noexcept : threads_(threads) {}
  void log(LogLevel level, std::string_view message) override;
  [[nodiscard]] const Reader* reader(std::string_view name) const noexcept override {
    return registry_ != nullptr ? registry_->reader(name) : nullptr;
  }
  [[nodiscard]] unsigned threads() const noexcept override { return threads_; }
  /// Where readers are looked up from now on.
  void use(const PluginRegistry* registry) noexcept { registry_ = registry; }

 private:
  unsigned threads_;
  const PluginRegistry* registry_ = nullptr;
  std::mutex mutex_;
};

}  // namespace stoq::engine
