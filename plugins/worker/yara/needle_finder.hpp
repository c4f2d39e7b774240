/// Finds where in a payload libyara must look. Hyperscan goes several bytes at a time, and for the
/// needles of all rule sets at once, where libyara goes byte by byte through every set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <stoq/bytes.hpp>

#include "needles.hpp"
#include "window.hpp"

struct hs_database;
struct hs_scratch;

/// Immutable once made.
class NeedleFinder {
 public:
  /// `sets` one by one; null for a set of which libyara must see all. Null when nothing can be
  /// gained, or when Hyperscan does not run on this processor.
  [[nodiscard]] static std::unique_ptr<NeedleFinder> make(std::span<const Needles* const> sets);
  ~NeedleFinder();
  NeedleFinder(const NeedleFinder&) = delete;
  NeedleFinder& operator=(const NeedleFinder&) = delete;

  /// One thread's working memory and what it found last.
  class Scratch {
   public:
    explicit Scratch(const NeedleFinder& finder);
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch();
    /// By set.
    [[nodiscard]] const Windows& windows(std::size_t set) const { return sets_[set].windows; }

   private:
    friend class NeedleFinder;
    /// What was seen of the links of a chain.
    struct Sighting {
      std::uint64_t links = 0;
      Window around;
    };
    struct Set {
      Windows windows;
      std::vector<Sighting> chains;
    };
    hs_scratch* scratch_ = nullptr;
    std::vector<Set> sets_;
  };

  void find(stoq::ByteView bytes, Scratch& scratch) const;

 private:
  /// What an occurrence of a byte string means to a set.
  struct Aim {
    std::size_t set;
    std::size_t before, after;  ///< of its end
    std::optional<std::size_t> only_at;
    std::optional<ChainLink> link;
  };
  struct Target {
    std::size_t size;
    std::vector<Aim> aims;
  };
  /// Of the sets: the number of links by chain; null for a set of which libyara must see all.
  using Links = std::vector<std::optional<std::vector<std::size_t>>>;
  struct Search;

  NeedleFinder(hs_database* database, std::vector<Target> targets, Links links) noexcept;
  static int on_target(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                       void* context) noexcept;
  static void aim_at(const Target& target, std::size_t end, Search& search);
  void join_chains(Scratch& scratch) const;

  hs_database* database_;  ///< null: there are no needles
  std::vector<Target> targets_;
  Links links_;
};
