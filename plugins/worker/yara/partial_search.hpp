/// Lets libyara search parts of a payload, and evaluate conditions over all of it.
#pragma once

#include <span>

#include <yara.h>

#include <stoq/bytes.hpp>

#include "window.hpp"

/// As yr_scanner_scan_mem(), but strings are searched in `windows` only. `flags` are those of
/// yr_scanner_set_flags(); signals are caught in conditions only, since each window would cost.
/// Conditions that ask for the `entrypoint` get the answer for a payload that is no program.
[[nodiscard]] int search_windows(YR_SCANNER* scanner, stoq::ByteView bytes,
                                 std::span<const Window> windows, int flags);
