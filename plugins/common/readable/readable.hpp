/// Text that a payload's bytes do not show: of PDFs, and of UTF-16 and UTF-32.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <stoq/plugin.hpp>

namespace stoq::common {

/// What a reader made of a payload.
struct ReadableText {
  enum class By : std::uint8_t { nothing, pdftext, text };

  By by = By::nothing;    ///< which reader; nothing: the bytes are all there is
  Value value;            ///< keeps `text`
  std::string_view text;  ///< valid UTF-8
  std::string error;      ///< why it is not whole; empty: it is
};

/// Asks reader:pdftext and reader:text for payloads that look like theirs. Const after activate().
class Readable {
 public:
  /// Reads the options `pdf` and `pdf_password`. A reader that is not there is done without, and
  /// the log says so.
  void activate(Options& options, Host& host);
  [[nodiscard]] ReadableText read(const Payload& payload, const Request& request) const;

 private:
  const Reader* pdf_ = nullptr;
  const Reader* text_ = nullptr;
  Value args_;
};

/// `request` with other arguments. Both must outlive it.
[[nodiscard]] Request with_args(const Request& request, const Value& args) noexcept;

}  // namespace stoq::common
