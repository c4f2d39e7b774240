/// Tells fast where a rule set's strings may stand in a payload, if anywhere. Hyperscan reads
/// several bytes at a time where libyara's automaton goes byte by byte; most payloads hold no
/// string of the dispatch rules at all, and others only a few.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <stoq/bytes.hpp>

#include "engine/part.hpp"
#include "engine/rule_strings.hpp"

struct hs_database;
struct hs_scratch;

namespace stoq::engine {

class StringFilter {
 public:
  /// Null when Hyperscan does not run on this processor or takes none of it: then libyara must
  /// look.
  [[nodiscard]] static std::unique_ptr<StringFilter> make(
      const std::vector<StringExpression>& strings);
  ~StringFilter();
  StringFilter(const StringFilter&) = delete;
  StringFilter& operator=(const StringFilter&) = delete;

  /// One thread's working memory.
  class Scratch {
   public:
    explicit Scratch(const StringFilter& filter);
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

   private:
    friend class StringFilter;
    hs_scratch* scratch_ = nullptr;
  };

  /// Appends to `parts` all of `within` that may hold a string, with what stands beside it, in
  /// rising order and apart from each other. False: too much of it, or it cannot be told.
  [[nodiscard]] bool find(ByteView bytes, Part within, Scratch& scratch,
                          std::vector<Part>& parts) const;

 private:
  /// How far around the end of a hit its string may reach.
  struct Reach {
    std::size_t before = 0, behind = 0;
  };
  struct Finding;

  StringFilter(hs_database* database, std::vector<Reach> reaches) noexcept
      : database_(database), reaches_(std::move(reaches)) {}
  static std::vector<Reach> reaches_of(const std::vector<StringExpression>& strings);
  static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                      void* context);

  hs_database* database_;
  std::vector<Reach> reaches_;  ///< by string; empty: where they are cannot be told
};

}  // namespace stoq::engine
