/// What is read of one file: indicators, observables, and what was not understood.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <stoq/value.hpp>

namespace stix {

/// What is known of an indicator besides what it asks for.
struct About {
  std::string id;
  std::string name;
  std::string valid_until;
};

class Collection {
 public:
  /// An indicator that asks for `expression`. What of it is unknown is noted; when all is, it is
  /// noted alone.
  void add(const About& about, stoq::Value expression);
  /// An indicator that is YARA rules.
  void add_yara(const About& about, std::string_view rules);
  /// A thing seen, which is an indicator only to those who say so.
  void add_observable(std::string_view id, stoq::Value expression);
  void note(std::string_view id, std::string_view reason);
  void revoked() noexcept { ++revoked_; }

  /// {"format", "id", "indicators", "observables", "not_understood", "revoked"}.
  [[nodiscard]] stoq::Value take(std::string_view format, std::string_view id);

 private:
  stoq::Value::Array indicators_, observables_, notes_;
  std::size_t revoked_ = 0;
};

}  // namespace stix
