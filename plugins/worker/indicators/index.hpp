/// Finds which tests a fact meets, among many.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <stoq/value.hpp>

#include "facts.hpp"
#include "ioc/addresses.hpp"
#include "ioc/tlds.hpp"
#include "patterns.hpp"

namespace stix {

/// Tests by number. A fact costs a look-up or two, a pass over it per set of patterns, and one
/// look-up per length of network there is. Const, and thread-safe, after finish().
class Index {
 public:
  Index();

  /// Adds a test as reader:stix gives it; why it cannot be taken, else empty.
  [[nodiscard]] std::string add(const stoq::Value& test, std::uint32_t number);
  /// Why not all can be searched for; empty when they can.
  [[nodiscard]] std::string finish();
  [[nodiscard]] const Kinds& wanted() const noexcept { return wanted_; }

  /// Appends the numbers of the tests that the fact meets, perhaps some twice. False when memory
  /// was not enough to try all.
  [[nodiscard]] bool find(const Fact& fact, std::vector<std::uint32_t>& numbers) const;

 private:
  static constexpr std::uint32_t none = UINT32_MAX;
  /// Tests of one value, chained.
  struct Link {
    std::uint32_t number = 0;
    std::uint32_t next = none;
  };
  using Heads = std::unordered_map<std::string, std::uint32_t, ioc::StringHash, std::equal_to<>>;
  struct SizeTest {
    std::uint64_t least = 0, most = UINT64_MAX;
    std::uint32_t number = 0;
  };

  void add_value(Heads& heads, std::string key, std::uint32_t number);
  [[nodiscard]] std::string add_pattern(Kind kind, std::string_view how, const std::string& value,
                                        std::uint32_t number);
  [[nodiscard]] std::string add_network(Kind kind, const std::string& value, std::uint32_t number);
  void add_size(std::string_view how, const std::string& value, std::uint32_t number);
  void take(const Heads& heads, std::string_view key, std::vector<std::uint32_t>& numbers) const;
  void find_networks(const std::string& address, std::vector<std::uint32_t>& numbers) const;

  Kinds wanted_{};
  std::array<Heads, kind_names.size()> values_;
  std::vector<Link> links_;
  std::vector<Patterns> patterns_;                     ///< by kind
  std::array<std::map<unsigned, Heads>, 2> networks_;  ///< of IPv4 and IPv6, by bits
  std::vector<SizeTest> sizes_;
};

}  // namespace stix
