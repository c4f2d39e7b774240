/// Finds the indicators of a text, under options: all of reader:iocregex, most of
/// worker:iocextract.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/plugin.hpp>

#include "allowlist.hpp"
#include "finder.hpp"
#include "indicators.hpp"
#include "patterns.hpp"
#include "tlds.hpp"

namespace ioc {

/// What is looked for in one search.
struct Wish {
  Indicators::Wanted types{};
  std::size_t most = 0;  ///< different indicators of a type to keep
};

/// What is searched: all that is set, in this order.
struct Texts {
  std::string_view bytes;  ///< text, or any bytes
  bool wide = false;       ///< also the UTF-16 text among `bytes`
  std::string_view read;   ///< what a reader made of them
};

/// Const after activate(): searches run on many threads at once.
class Search {
 public:
  /// Reads the options. Throws stoq::ConfigError.
  void activate(stoq::Options& options);

  /// As the options say.
  [[nodiscard]] const Wish& wish() const noexcept { return wish_; }
  [[nodiscard]] bool utf16() const noexcept { return utf16_; }

  /// See Indicators::take(). Null also when it was stopped. Time is linear in the texts.
  [[nodiscard]] stoq::Value run(const Texts& texts, const Wish& wish,
                                const stoq::Request& request) const;

 private:
  /// What a search needs and is dear to make.
  struct Scratch {
    Patterns patterns;
    Indicators found;
    std::string narrow;
  };

  [[nodiscard]] bool search(std::string_view text, Scratch& scratch,
                            const stoq::Request& request) const;
  [[nodiscard]] bool search_wide(std::string_view bytes, Scratch& scratch,
                                 const stoq::Request& request) const;

  Wish wish_;
  Allowlist allowed_;
  std::unique_ptr<const Tlds> tlds_;
  StringSet ambiguous_;
  bool utf16_ = true;
  stoq::PerThread<Scratch> scratch_;
};

/// The types called so. Throws stoq::ConfigError naming the one that is none, or that there are
/// none.
[[nodiscard]] Indicators::Wanted types_called(const std::vector<std::string>& names);

}  // namespace ioc
