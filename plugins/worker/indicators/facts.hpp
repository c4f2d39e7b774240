/// What is known of one payload.
#pragma once

#include <array>
#include <string>
#include <vector>

#include <stoq/plugin.hpp>

#include "kinds.hpp"

namespace stix {

/// Some of the kinds.
using Kinds = std::array<bool, kind_names.size()>;

struct Fact {
  Kind kind{};
  std::string value;
};

struct Facts {
  std::vector<Fact> all;
  std::string error;  ///< why some may be missing; empty: none is

  /// Of which kinds there are any.
  [[nodiscard]] const Kinds& present() const noexcept { return present_; }
  void add(Fact fact);

 private:
  Kinds present_{};
};

/// Digests, name and size: the digests that the engine made, the rest made here.
void add_own_facts(const stoq::Payload& payload, const Kinds& wanted, Facts& facts);

/// What reader:iocregex found.
void add_found(const stoq::Value& found, Facts& facts);

}  // namespace stix
