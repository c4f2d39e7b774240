/// Indicators that are YARA rules.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <yara.h>

#include <stoq/plugin.hpp>

namespace stix {

struct YaraHit {
  std::uint32_t indicator = 0;
  std::string rule;
  std::optional<std::uint64_t> offset = {};  ///< of its first string that was found
};

/// Rules of all indicators in one set, each indicator a namespace. Const, and thread-safe, after
/// finish().
class YaraRules {
 public:
  YaraRules();
  ~YaraRules();
  YaraRules(const YaraRules&) = delete;
  YaraRules& operator=(const YaraRules&) = delete;

  /// Why they cannot be compiled; empty when they can.
  [[nodiscard]] std::string add(const std::string& text, std::uint32_t indicator);
  void finish();
  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  /// In the order of indicators. Throws stoq::Error when libyara fails, LimitReached when it takes
  /// longer than `seconds`.
  [[nodiscard]] std::vector<YaraHit> scan(stoq::ByteView bytes, int seconds) const;

 private:
  struct Closer {
    void operator()(YR_COMPILER* compiler) const noexcept { ::yr_compiler_destroy(compiler); }
    void operator()(YR_RULES* rules) const noexcept { ::yr_rules_destroy(rules); }
  };

  static std::unique_ptr<YR_COMPILER, Closer> compiler();

  std::unique_ptr<YR_COMPILER, Closer> compiler_;
  std::unique_ptr<YR_RULES, Closer> rules_;
  std::size_t count_ = 0;
};

}  // namespace stix
