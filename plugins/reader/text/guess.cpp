#include "guess.hpp"

#include <algorithm>
#include <memory>

#include <uchardet.h>
#include <unicode/ucsdet.h>

namespace text {
namespace {

/// What the detectors are shown, in bytes: of ICU's, more changes nothing.
constexpr std::size_t sample = 8192;
/// Below it uchardet is right more often, above it ICU: measured on man pages in 14 languages.
constexpr std::size_t enough_for_icu = 300;

bool is_high(char c) noexcept { return static_cast<unsigned char>(c) >= 0x80; }

/// The lines that say something of the encoding: those with a byte above ASCII, cut to the sample.
std::string telling_lines(std::string_view bytes) {
  std::string lines;
  while (!bytes.empty() && lines.size() < sample) {
    const auto high = std::find_if(bytes.begin(), bytes.end(), is_high);
    if (high == bytes.end()) break;
    const auto at = static_cast<std::size_t>(high - bytes.begin());
    const auto before = at == 0 ? bytes.npos : bytes.rfind('\n', at - 1);
    const auto begin = std::max(before == bytes.npos ? 0 : before + 1, at > 256 ? at - 256 : 0);
    const auto end = std::min(bytes.find('\n', at), bytes.size());
    lines += bytes.substr(begin, std::min(end - begin, sample - lines.size()));
    lines += '\n';
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return lines;
}

/// Some control characters, which no text in a charset of bytes has many of.
bool is_binary(std::string_view bytes) {
  const auto head = bytes.substr(0, sample);
  const auto strange = std::count_if(head.begin(), head.end(), [](char c) {
    return (c >= 0 && c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b &&
            c != '\b') ||
           c == 0x7f;
  });
  return head.find('\0') != head.npos ||
         static_cast<std::size_t>(strange) > std::max<std::size_t>(1, head.size() / 64);
}

/// ISO-2022 and the like: ASCII to look at, but for its escape sequences.
bool has_escapes(std::string_view bytes) {
  const auto head = bytes.substr(0, sample);
  return head.find("\x1b$") != head.npos || head.find("\x1b(") != head.npos;
}

std::string by_uchardet(std::string_view bytes) {
  const std::unique_ptr<uchardet, decltype(&uchardet_delete)> detector(uchardet_new(),
                                                                       &uchardet_delete);
  uchardet_handle_data(detector.get(), bytes.data(), bytes.size());
  uchardet_data_end(detector.get());
  const std::string name = uchardet_get_charset(detector.get());
  return name == "UHC" ? "windows-949" : name;  // ICU has another name for it
}

std::string by_icu(std::string_view bytes) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UCharsetDetector, decltype(&ucsdet_close)> detector(ucsdet_open(&status),
                                                                            &ucsdet_close);
  ucsdet_setText(detector.get(), bytes.data(), static_cast<std::int32_t>(bytes.size()), &status);
  const auto* const match = ucsdet_detect(detector.get(), &status);
  if (U_FAILURE(status) || match == nullptr) return {};
  const auto* const name = ucsdet_getName(match, &status);
  return U_FAILURE(status) || name == nullptr ? std::string() : name;
}

/// What detectors call text that is none of theirs, or a subset of windows-1252.
std::string widened(const std::string& name) {
  // UTF-8 and its like were ruled out before.
  if (name.empty() || name == "ASCII" || name.starts_with("UTF-")) return {};
  if (name == "ISO-8859-1" || name == "WINDOWS-1252") return "windows-1252";
  // ICU's guesses at EBCDIC, and what only uchardet has a name for.
  return name.starts_with("IBM42") || !is_known(name) ? std::string() : name;
}

std::string by_letters(std::string_view bytes) {
  const auto lines =
      has_escapes(bytes) ? std::string(bytes.substr(0, sample)) : telling_lines(bytes);
  auto short_guess = widened(by_uchardet(lines));
  if (lines.size() < enough_for_icu || short_guess == "IBM866") return short_guess;
  auto guess = widened(by_icu(lines));
  return guess.empty() ? short_guess : guess;
}

}  // namespace

Guess guess(std::string_view bytes, const std::string& fallback) {
  if (auto known = marked(bytes); !known.encoding.empty()) return known;
  if (has_escapes(bytes) && !is_binary(bytes)) {
    if (auto name = by_letters(bytes); name.starts_with("ISO-2022")) {
      return {name, 0, Certainty::guess};
    }
  }
  const bool strange = is_binary(bytes);
  if (!strange && is_utf8(bytes)) {
    const bool ascii = std::none_of(bytes.begin(), bytes.end(), is_high);
    return {ascii ? "US-ASCII" : "UTF-8", 0, Certainty::form};
  }
  if (auto wide = unmarked_wide(bytes); !wide.encoding.empty()) return wide;
  if (strange) return {};
  if (auto name = declared(bytes); !name.empty()) return {name, 0, Certainty::declared};
  if (auto name = by_letters(bytes); !name.empty()) return {name, 0, Certainty::guess};
  return {fallback, 0, Certainty::fallback};
}

}  // namespace text
