/// LIKE and MATCHES: many patterns over one value in one pass.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <re2/set.h>

namespace stix {

/// Patterns over the values of one kind, each with a number of the caller's. Const, and
/// thread-safe, after compile().
class Patterns {
 public:
  explicit Patterns(bool any_case);

  /// Why it cannot be taken; empty when it is. LIKE: '%' is any text, '_' any character.
  [[nodiscard]] std::string add_like(std::string_view like, std::uint32_t number);
  /// A regular expression of PCRE's that RE2 knows too, found anywhere in the value.
  [[nodiscard]] std::string add_expression(std::string_view expression, std::uint32_t number);
  /// False when they are too many for the memory that there is for them.
  [[nodiscard]] bool compile();
  /// Appends the numbers of those that match. False when memory was not enough to say so.
  [[nodiscard]] bool match(std::string_view value, std::vector<std::uint32_t>& numbers) const;
  [[nodiscard]] bool empty() const noexcept { return numbers_.empty(); }

 private:
  std::unique_ptr<RE2::Set> set_;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace stix
