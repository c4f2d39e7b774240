/// The body of `load`: brings a root's bytes into memory.
#pragma once

#include <string>

#include "engine/config.hpp"
#include "engine/memory.hpp"
#include "engine/plugin_set.hpp"
#include "engine/root_state.hpp"

namespace stoq::engine {

/// The folder of the files opened last, held open: the next one in it need not be looked up from
/// the root of the file system. For as long as one batch takes: folders may be moved.
class OpenFolder {
 public:
  OpenFolder() = default;
  ~OpenFolder();
  OpenFolder(const OpenFolder&) = delete;
  OpenFolder& operator=(const OpenFolder&) = delete;
  /// A descriptor of the file, to be read; -1: errno says why there is none.
  [[nodiscard]] int open(const std::string& file);

 private:
  void leave() noexcept;
  std::string path_;
  int descriptor_ = -1;  ///< -1 until a second file is there
};

class Loader {
 public:
  Loader(const Config& config, const PluginSet& plugins, Memory& memory) noexcept
      : config_(config), plugins_(plugins), memory_(memory) {}

  /// Reads the root's file, or has a connector bring it (or checks the bytes it came with). False
  /// when there is nothing to scan:
  /// the root's status says why. `before_large` is called once the file turns out to be large,
  /// before it is read, so that the batch's rest can be given away.
  bool load(RootState& root, unsigned lane, OpenFolder& folder, FunctionRef<void()> before_large);

 private:
  [[nodiscard]] bool wanted(RootState& root, std::uint64_t size) const;
  [[nodiscard]] Bytes read(int file, std::size_t size, unsigned lane);
  bool read_content(RootState& root, unsigned lane, OpenFolder& folder,
                    FunctionRef<void()> before_large);
  bool fetch(RootState& root, unsigned lane);
  [[nodiscard]] const PluginEntry* fetcher(std::string_view name) const noexcept;

  const Config& config_;
  const PluginSet& plugins_;
  Memory& memory_;
};

}  // namespace stoq::engine
