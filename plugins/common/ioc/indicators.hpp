/// What was found in one payload.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/value.hpp>

#include "allowlist.hpp"

namespace ioc {

/// Keeps the first `most` different indicators of each wanted type, and counts the rest.
class Indicators {
 public:
  using Wanted = std::array<bool, type_names.size()>;

  /// Begins anew. The arguments must outlive the findings.
  void start(const Wanted& wanted, const Allowlist& allowed, std::size_t most) noexcept;
  void add(Type type, std::string text, std::string_view host = {});
  [[nodiscard]] bool wants(Type type) const noexcept { return (*wanted_)[index(type)]; }

  /// A list a type in order of first occurrence, and `omitted`: by type, how many matches beyond
  /// `most` were left out (these are not compared with each other). Null when there is nothing.
  /// What was found is gone afterwards.
  [[nodiscard]] stoq::Value take();

 private:
  struct List {
    StringSet known;
    std::vector<const std::string*> order;  ///< into `known`, whose nodes do not move
    std::size_t omitted = 0;
  };

  std::array<List, type_names.size()> lists_;
  const Wanted* wanted_ = nullptr;
  const Allowlist* allowed_ = nullptr;
  std::size_t most_ = 0;
};

}  // namespace ioc
