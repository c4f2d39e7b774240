/// Indicators that are not to be reported.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "addresses.hpp"
#include "tlds.hpp"
#include "types.hpp"

namespace ioc {

/// Read from files of lines `type:pattern`, as stoQ's whitelist files; '#' begins a comment line.
/// A domain stands for itself and all below it, also as the host of a URL; an address may be a
/// network (10.0.0.0/8), also as the host of a URL; anything else must be equal, whatever the case.
/// Const after the last add_file().
class Allowlist {
 public:
  /// Throws stoq::ConfigError naming the line that is amiss.
  void add_file(const std::string& file);
  /// `host` is that of a URL; otherwise not looked at.
  [[nodiscard]] bool contains(Type type, std::string_view indicator, std::string_view host) const;

 private:
  void add_line(std::string_view line, const std::string& where);
  [[nodiscard]] bool has_address(std::string_view text) const;
  [[nodiscard]] bool has_domain(std::string_view name) const;

  std::array<StringSet, type_names.size()> exact_;
  std::vector<Network> networks_;
};

}  // namespace ioc
