/// All indicators that payloads are compared with.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/plugin.hpp>

#include "facts.hpp"
#include "index.hpp"
#include "yara_rules.hpp"

namespace stix {

struct Indicator {
  std::string id;
  std::string name;
  std::string valid_until;
  std::uint32_t bundle = 0;  ///< number of its file
  std::uint32_t root = 0;    ///< its expression
  bool is_yara = false;      ///< it has rules instead
};

struct Bundle {
  std::string file;
  std::string id;
};

/// Why a part of an indicator cannot be used.
struct Problem {
  std::string id;
  std::string reason;
};

/// Filled by one thread; const, and thread-safe, after finish().
class Watchlist {
 public:
  /// Adds what reader:stix read of a file.
  void add(const stoq::Value& read, const std::string& file, bool observables);
  /// Throws stoq::ConfigError when they are too many.
  void finish();

  [[nodiscard]] std::size_t size() const noexcept { return indicators_.size(); }
  [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }
  [[nodiscard]] const Kinds& wanted() const noexcept { return index_.wanted(); }
  [[nodiscard]] const YaraRules& yara() const noexcept { return yara_; }

  /// Those that the facts of a payload, and the hits of their YARA rules, meet, in the order in
  /// which they were read, `most` at most. Sets facts.error when some could not be tried.
  [[nodiscard]] stoq::Value match(stoq::ByteView payload, Facts& facts,
                                  const std::vector<YaraHit>& yara_hits, std::size_t most) const;

 private:
  enum class Op : std::uint8_t { test, all, any, none, unknown };
  /// Of an expression. Of a test, `first` is its number; else where its parts stand in parts_.
  struct Node {
    Op op = Op::unknown;
    Kind kind{};
    std::uint32_t first = 0, count = 0;
  };
  enum class Truth : std::uint8_t { no, unknown, yes };
  struct Hit {
    std::uint32_t test = 0, fact = 0;
  };

  void add_one(const stoq::Value& read, std::uint32_t bundle);
  [[nodiscard]] std::uint32_t add_node(const stoq::Value& expression, const std::string& id);
  [[nodiscard]] Truth evaluate(std::uint32_t node, const Kinds& present,
                               const std::vector<Hit>& hits) const;
  [[nodiscard]] std::vector<Hit> hits_of(Facts& facts) const;
  [[nodiscard]] stoq::Value described(std::uint32_t indicator) const;
  /// What of the payload its tests met, a few dozen at most.
  [[nodiscard]] stoq::Value::Array matched(std::uint32_t indicator, std::string_view payload,
                                           const Facts& facts, const std::vector<Hit>& hits,
                                           const std::vector<YaraHit>& yara_hits) const;

  std::vector<Bundle> bundles_;
  std::vector<Indicator> indicators_;
  std::vector<Node> nodes_;
  std::vector<std::uint32_t> parts_;
  std::vector<std::uint32_t> owners_;  ///< of each test, its indicator
  std::vector<std::uint32_t> always_;  ///< indicators that can hold when none of their tests is met
  std::vector<Problem> problems_;
  Index index_;
  YaraRules yara_;
};

}  // namespace stix
