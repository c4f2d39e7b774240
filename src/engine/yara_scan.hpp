/// The ways in which a payload is shown to libyara.
#pragma once

#include <stoq/bytes.hpp>

struct YR_SCAN_CONTEXT;

namespace stoq::engine {

/// All bytes are searched for strings, then conditions are evaluated. libyara's error code.
[[nodiscard]] int yara_scan(YR_SCAN_CONTEXT* scanner, ByteView bytes);

/// Only the first 16 MiB and the last 64 KiB are searched, and readable in conditions; the size is
/// the whole payload's.
[[nodiscard]] int yara_scan_ends(YR_SCAN_CONTEXT* scanner, ByteView bytes);

/// Conditions are evaluated over all bytes as if no string had been found: for payloads known to
/// hold none. Rests on what yara_can_skip_search() tries out.
[[nodiscard]] int yara_evaluate(YR_SCAN_CONTEXT* scanner, ByteView bytes);

/// Whether this libyara asks for its blocks once to search and again to evaluate, as
/// yara_evaluate() needs. Call it between yr_initialize() and yr_finalize().
[[nodiscard]] bool yara_can_skip_search();

}  // namespace stoq::engine
