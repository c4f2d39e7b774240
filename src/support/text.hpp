/// Small things about text: sizes, letters, nearest names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stoq::support {

/// "512M", "1.5G", "64KiB", "1000": bytes, suffixes as powers of 1024, case ignored. Nothing when
/// it is no size or does not fit.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);
/// With ASCII letters in lower case.
[[nodiscard]] std::string lower(std::string_view text);
/// With control characters as \x0a, so that text of any origin stays on one line and steers no
/// terminal.
[[nodiscard]] std::string one_line(std::string_view text);
/// "1.4 GiB", "312 B".
[[nodiscard]] std::string format_size(std::uint64_t bytes);
/// The candidate nearest to `word` by edit distance, if it is near enough to be meant (≤ 1/3 of its
/// length, at least 1); empty otherwise.
[[nodiscard]] std::string nearest(std::string_view word,
                                  const std::vector<std::string>& candidates);

}  // namespace stoq::support
