/// Loads one plugin's shared library. Its descriptor is read out of the file first, so that nothing
/// of a library that does not fit is ever run: dlopen() alone would run its static constructors.
#pragma once

#include <filesystem>
#include <memory>

#include <stoq/plugin.hpp>

namespace stoq::engine {

/// A plugin's library. It is never unloaded: buffers whose deleter it compiled, exceptions it threw
/// and thread-locals it made may outlive the plugin. Immutable; safe to share.
class PluginLibrary {
 public:
  /// Throws ConfigError or IoError, in one line that names the file and what to do.
  explicit PluginLibrary(const std::filesystem::path& path);

  /// A new instance, not yet activated. Throws what the plugin's constructor throws.
  [[nodiscard]] std::unique_ptr<Plugin> create() const;
  [[nodiscard]] Category category() const noexcept { return descriptor_->category; }

 private:
  const PluginDescriptor* descriptor_;
};

}  // namespace stoq::engine
