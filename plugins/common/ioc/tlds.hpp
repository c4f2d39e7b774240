/// The top-level domains.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace ioc {

/// Lets a set of strings be asked for a string_view.
struct StringHash : std::hash<std::string_view> {
  using is_transparent = void;
};
using StringSet = std::unordered_set<std::string, StringHash, std::equal_to<>>;

/// Those built in, and the ICANN ones of a public suffix list where there is one. Const after
/// construction.
class Tlds {
 public:
  /// `file`: a list as of publicsuffix.org; when it is empty or cannot be read, those built in must
  /// do.
  explicit Tlds(const std::string& file);
  /// Expects lower case.
  [[nodiscard]] bool contains(std::string_view name) const { return names_.contains(name); }

 private:
  void add_file(const std::string& file);

  StringSet names_;
};

}  // namespace ioc
