/// What can be said of a payload's type without libmagic. Stateless; thread-safe.
#pragma once

#include <cstddef>
#include <string_view>

#include <stoq/bytes.hpp>

/// The MIME type `file --mime-type` gives, for the formats whose first bytes settle it; empty for
/// all others.
[[nodiscard]] std::string_view type_by_signature(stoq::ByteView bytes) noexcept;

/// Whether libmagic's own look at the encoding is sure to say "binary" (so that its text checks can
/// be left out). False says nothing. `window` is how far libmagic looks.
[[nodiscard]] bool is_surely_binary(stoq::ByteView bytes, std::size_t window) noexcept;

/// Whether the payload ends as a zip file does: libmagic, which looks there in files, does not in
/// buffers.
[[nodiscard]] bool ends_as_zip(stoq::ByteView bytes) noexcept;
