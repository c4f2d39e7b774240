#include "decode.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>

namespace text {
namespace {

using Converter = std::unique_ptr<UConverter, decltype(&ucnv_close)>;

constexpr std::size_t step = std::size_t{64} << 10U;

Converter open(const std::string& encoding) {
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(encoding.c_str(), &status), &ucnv_close);
  if (U_FAILURE(status) || converter == nullptr) {
    throw stoq::ConfigError("'" + encoding +
                            "' is no encoding that ICU knows ('iconv -l' lists many)");
  }
  return converter;
}

/// Counts, and lets ICU write U+FFFD.
void replace(const void* context, UConverterToUnicodeArgs* args, const char* units,
             std::int32_t length, UConverterCallbackReason reason, UErrorCode* status) {
  if (reason <= UCNV_IRREGULAR) ++*static_cast<std::size_t*>(const_cast<void*>(context));
  UCNV_TO_U_CALLBACK_SUBSTITUTE(nullptr, args, units, length, reason, status);
}

/// Cuts what is behind the last whole character of the first `most` bytes.
void cut(std::string& text, std::size_t most) {
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0U) == 0x80U) --most;
  text.resize(most);
}

}  // namespace

void check_encoding(const std::string& encoding) { (void)open(encoding); }

Decoded decode(std::string_view bytes, const std::string& encoding, std::size_t most,
               const stoq::Request& request) {
  Decoded out;
  if (bytes.empty()) return out;
  const auto from = open(encoding);
  const auto to = open("UTF-8");
  UErrorCode status = U_ZERO_ERROR;
  ucnv_setToUCallBack(from.get(), replace, &out.replaced, nullptr, nullptr, &status);
  std::array<UChar, 4096> pivot{};
  UChar* pivot_source = pivot.data();
  UChar* pivot_target = pivot.data();
  const char* source = bytes.data();
  const char* const source_end = source + bytes.size();
  bool reset = true;
  for (bool more = true; more;) {
    if (request.stop_requested()) {
      out.stopped = true;
      return out;
    }
    const auto before = out.text.size();
    out.text.resize(before + step);
    char* target = out.text.data() + before;
    status = U_ZERO_ERROR;
    ucnv_convertEx(to.get(), from.get(), &target, out.text.data() + out.text.size(), &source,
                   source_end, pivot.data(), &pivot_source, &pivot_target,
                   pivot.data() + pivot.size(), reset ? 1 : 0, 1, &status);
    reset = false;
    more = status == U_BUFFER_OVERFLOW_ERROR;
    out.text.resize(static_cast<std::size_t>(target - out.text.data()));
    if (U_FAILURE(status) && !more) {
      throw stoq::MalformedInput("text: " + encoding + ": " + u_errorName(status));
    }
    if (out.text.size() > most) {
      cut(out.text, most);
      out.whole = false;
      return out;
    }
  }
  return out;
}

}  // namespace text
