/// Results of roots that were scanned, for roots with the same bytes: what was found once in a run
/// is repeated, not searched for again. Output never depends on it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include <stoq/tlp.hpp>

#include "engine/root_results.hpp"
#include "support/digest.hpp"

namespace stoq::engine {

/// Bounded; the results that were not asked for longest go first. Thread-safe.
class ResultCache {
 public:
  /// `memory`: bytes that results may hold together; 0: nothing is kept. `files`: temporary files
  /// of large results, `file_bytes`: bytes in them.
  explicit ResultCache(std::size_t memory, std::size_t files = 32,
                       std::uint64_t file_bytes = std::uint64_t{512} << 20)
      : most_{memory, files, file_bytes} {}

  /// What makes roots equal.
  struct Key {
    support::Sha256 sha256{};
    Tlp tlp = Tlp::white;  ///< decides which plugins see it
  };

  /// What was kept of a root with this content under any name, or under this very name if its
  /// results depend on the name. Null when there is nothing.
  [[nodiscard]] std::shared_ptr<RootResults> find(const Key& key, std::string_view name);
  /// Keeps a root's results, from now on unchanged. `name`: the root's if they depend on it, empty
  /// otherwise.
  void keep(const Key& key, std::string_view name, std::shared_ptr<RootResults> results);

 private:
  struct Size {
    std::size_t memory = 0, files = 0;
    std::uint64_t file_bytes = 0;
    [[nodiscard]] bool fits(const Size& most) const noexcept {
      return memory <= most.memory && files <= most.files && file_bytes <= most.file_bytes;
    }
  };
  struct Kept {
    std::string key;
    std::shared_ptr<RootResults> results;
    Size size;
  };
  static std::string text_of(const Key& key, std::string_view name);
  void drop_last();

  const Size most_;
  std::atomic<bool> any_ = false;  ///< whether something was ever kept
  std::mutex mutex_;               ///< guards the rest
  Size size_;
  std::list<Kept> kept_;  // the one asked for last comes first
  std::unordered_map<std::string_view, std::list<Kept>::iterator> by_key_;
};

}  // namespace stoq::engine
