/// Tells fast that none of a rule set's strings stands in a payload. Hyperscan reads several bytes
/// at a time where libyara's automaton goes byte by byte; most payloads hold no string of the
/// dispatch rules at all.
#pragma once

#include <memory>
#include <vector>

#include <stoq/bytes.hpp>

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

  /// False only when none of the strings is in `bytes`.
  [[nodiscard]] bool may_match(ByteView bytes, Scratch& scratch) const;

 private:
  explicit StringFilter(hs_database* database) noexcept : database_(database) {}
  hs_database* database_;
};

}  // namespace stoq::engine
