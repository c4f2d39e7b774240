/// Which encoding a text is in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace text {

/// How an encoding is known, the surest first.
enum class Certainty : std::uint8_t {
  mark,      ///< it begins with a byte order mark
  form,      ///< bytes have the form of UTF-8, UTF-16 or UTF-32, which other texts hardly ever have
  declared,  ///< it says so itself: XML, HTML
  guess,     ///< by the frequency of letters
  fallback   ///< nothing is known: the option `fallback`
};

[[nodiscard]] constexpr std::string_view to_string(Certainty certainty) noexcept {
  constexpr std::string_view names[] = {"mark", "form", "declared", "guess", "fallback"};
  return names[static_cast<std::size_t>(certainty)];
}

struct Guess {
  std::string encoding;  ///< as ICU calls it; empty: these bytes are no text
  std::size_t skip = 0;  ///< bytes of the mark
  Certainty certainty = Certainty::form;
};

/// Looks at all bytes for the form of UTF-8, else at a few KiB: linear in their number.
[[nodiscard]] Guess guess(std::string_view bytes, const std::string& fallback);

// unicode.cpp

/// The mark that the text begins with; no encoding when there is none.
[[nodiscard]] Guess marked(std::string_view bytes);
/// UTF-16 or UTF-32 without a mark; no encoding when it is neither.
[[nodiscard]] Guess unmarked_wide(std::string_view bytes);
/// Whether it is UTF-8 (or ASCII), a few broken places in a long text allowed for.
[[nodiscard]] bool is_utf8(std::string_view bytes) noexcept;

// declared.cpp

/// Whether ICU can decode it.
[[nodiscard]] bool is_known(const std::string& encoding);
/// What an XML declaration or a <meta charset> of the first KiB says, if ICU knows it and it is
/// written in letters of one byte; else empty.
[[nodiscard]] std::string declared(std::string_view bytes);

}  // namespace text
