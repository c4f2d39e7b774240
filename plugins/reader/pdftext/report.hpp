/// What the helper writes in front of the text, in the file both of them hold.
#pragma once

#include <cstdint>

namespace pdftext {

/// How the helper ended; the exit status. Anything else is a crash.
enum class End : int { done = 0, usage = 64, malformed = 65, locked = 66, full = 67 };

/// Written anew after each page, so that what was read before a crash is known.
struct Report {
  std::uint32_t pages = 0;   ///< of the document
  std::uint32_t read = 0;    ///< pages whose text follows
  std::uint64_t size = 0;    ///< bytes of their text, behind the report
  std::uint32_t locked = 0;  ///< 1: a password opened it
  std::uint32_t reserved = 0;
};

/// The environment variable with the passwords, each ended by a line feed.
inline constexpr const char* passwords_variable = "STOQ_PDF_PASSWORDS";

}  // namespace pdftext
