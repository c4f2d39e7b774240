/// Finds indicators in text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <stoq/plugin.hpp>

#include "anchors.hpp"
#include "hosts.hpp"
#include "indicators.hpp"
#include "patterns.hpp"
#include "tlds.hpp"

namespace ioc {

/// Looks at every anchor of a text and judges what stands around it; the handlers are in finder.cpp
/// (which of them), network.cpp and paths.cpp. Each looks back by a bounded distance and matches a
/// bounded window, and what was judged as a whole is skipped: the time is linear in the text.
class Finder {
 public:
  /// `ambiguous`: top-level domains that are file extensions or words of programs as well.
  Finder(const Tlds& tlds, const StringSet& ambiguous, const Patterns& patterns,
         Indicators& indicators) noexcept
      : tlds_(tlds), ambiguous_(ambiguous), patterns_(patterns), found_(indicators) {}

  /// False when it was stopped. Views of `text` are not kept.
  bool run(std::string_view text, const stoq::Request& request);

 private:
  void at_anchor(std::size_t at);
  void on_bracket(std::size_t at);
  void on_dash(std::size_t at);
  void on_yara_rules();

  // network.cpp
  void on_dot(std::size_t at);
  void on_odd_dot(std::size_t at);
  void on_colon(std::size_t at);
  void on_at(std::size_t begin, std::size_t end);
  void on_spoken_at(std::size_t begin, std::size_t end);
  bool on_url(std::size_t at, std::size_t separator);
  void on_colon_run(std::size_t at);
  void judge_run(std::size_t begin, std::size_t end);
  void judge_defanged(std::size_t begin);
  void add_host(const Host& host);
  bool add_email(std::size_t local_end, std::size_t host_at, const Pattern& pattern);
  bool add_addresses(std::string_view run, std::size_t text_at);
  /// Without a scheme it is http, and only worth a URL when a port or path follows.
  void add_url(std::string_view scheme, std::string_view user, const Host& host,
               std::size_t rest_at);
  [[nodiscard]] Host url_host_at(std::size_t at, std::size_t& size) const;
  [[nodiscard]] bool is_plain_domain(std::size_t begin, std::size_t end, const Host& host) const;
  [[nodiscard]] bool is_version(std::size_t begin, std::size_t end) const;
  [[nodiscard]] bool has_odd_dot(std::size_t at) const;
  [[nodiscard]] std::size_t label_begin(std::size_t end) const;

  // paths.cpp
  void on_backslash(std::size_t at);
  void on_slash(std::size_t at);
  void add_windows(Type type, std::size_t begin, std::size_t tail);

  [[nodiscard]] char byte(std::size_t at) const noexcept {
    return at < text_.size() ? text_[at] : '\0';
  }
  /// The byte before, a blank where the text begins.
  [[nodiscard]] char before(std::size_t at) const noexcept { return at > 0 ? text_[at - 1] : ' '; }
  /// Whether `word`, in lower case, stands at `at` in any case.
  [[nodiscard]] bool has_word(std::size_t at, std::string_view word) const noexcept;
  [[nodiscard]] std::size_t skip_blanks(std::size_t at, std::size_t most) const noexcept;
  void skip_to(std::size_t offset) noexcept { anchors_.skip_to(offset); }

  const Tlds& tlds_;
  const StringSet& ambiguous_;
  const Patterns& patterns_;
  Indicators& found_;
  std::string_view text_;
  Anchors anchors_{{}};
  bool is_binary_ = false;
  std::size_t floor_ = 0;    ///< what is before belongs to an indicator: nothing looks back past it
  std::size_t url_end_ = 0;  ///< where the last URL ends, its punctuation included
};

/// Adds every run of exactly 32, 40, 64 or 128 hexadecimal digits. False when it was stopped.
bool find_hashes(std::string_view text, const stoq::Request& request, Indicators& found);

}  // namespace ioc
