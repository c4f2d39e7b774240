/// Results of roots that were scanned, for roots with the same bytes: what was found once in a run
/// is repeated, not searched for again. Output never depends on it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include <stoq/tlp.hpp>
#include <stoq/value.hpp>

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

  /// What was kept of a root with this content under any name and with any meta, or with this very
  /// name or meta if its results depend on that. Null when there is nothing.
  [[nodiscard]] std::shared_ptr<RootResults> find(const Key& key, std::string_view name,
                                                  const Value& meta);
  /// Keeps a root's results, from now on unchanged. `name` and `meta`: the root's if they depend on
  /// it, empty and null otherwise.
  void keep(const Key& key, std::string_view name, const Value* meta,
            std::shared_ptr<RootResults> results);

 private:
  struct Size {
    std::size_t memory = 0, files = 0;
    std::uint64_t file_bytes = 0;
    [[nodiscard]] bool fits(const Size& most) const noexcept {
      return memory <= most.memory && files <= most.files && file_bytes <= most.file_bytes;
    }
  };
  struct Place {
    Key key;
    std::string name;  ///< empty: any
    std::string meta;  ///< spelled out; empty: any
    bool operator==(const Place& other) const noexcept {
      return key.sha256 == other.key.sha256 && key.tlp == other.key.tlp && name == other.name &&
             meta == other.meta;
    }
  };
  struct Hash {
    /// Digests are as good as random.
    std::size_t operator()(const Place& place) const noexcept {
      std::size_t hash = 0;
      std::memcpy(&hash, place.key.sha256.data(), sizeof hash);
      return hash;
    }
  };
  struct Kept;
  using List = std::list<Kept>;
  using ByPlace = std::unordered_map<Place, List::iterator, Hash>;
  struct Kept {
    std::shared_ptr<RootResults> results;
    Size size;
    ByPlace::iterator place;
  };
  void drop_last();

  const Size most_;
  std::atomic<bool> any_ = false;       ///< whether something was ever kept
  std::atomic<bool> any_meta_ = false;  ///< whether something was ever kept by meta
  std::mutex mutex_;                    ///< guards the rest
  Size size_;
  bool any_named_ = false;  ///< whether something was ever kept by name
  List kept_;               // the one asked for last comes first
  ByPlace by_place_;
};

}  // namespace stoq::engine
