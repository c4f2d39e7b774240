/// The filters of PDF's streams that are not made for images, as stages that bytes are pushed
/// through: what comes before a fault has come out when MalformedInput is thrown, which qpdf's own
/// filters do not promise. ISO 32000-1, 7.4.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include <stoq/bytes.hpp>
#include <stoq/plugin.hpp>

namespace pdf {

/// Where bytes go. Does not own what comes behind it, and may throw what that throws.
class Stage {
 public:
  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;
  virtual void write(stoq::ByteView bytes) = 0;
  /// There is no more. Called again, it does nothing.
  virtual void finish() = 0;
};

enum class Kind : std::uint8_t { flate, lzw, ascii85, ascii_hex, run_length };

/// The filter called so, in full or as inline images abbreviate it.
std::optional<Kind> kind_of(std::string_view name) noexcept;

/// What /DecodeParms may say of flate and LZW.
struct Parameters {
  std::int64_t predictor = 1;
  std::int64_t columns = 1;
  std::int64_t colors = 1;
  std::int64_t bits = 8;
  bool early_change = true;

  [[nodiscard]] bool predicts() const noexcept { return predictor > 1; }
  /// Whether they can be followed, in little memory.
  [[nodiscard]] bool are_sound() const noexcept;
};

/// Whether zlib data that does not end does so where its writer meant it to: some PDF writers flush
/// and leave it at that.
[[nodiscard]] bool ends_flushed(stoq::ByteView data) noexcept;

/// Undoes one filter (its predictor aside) and writes to `next`, which outlives it like `request`.
std::unique_ptr<Stage> make_filter(Kind kind, const Parameters& parameters, Stage& next,
                                   const stoq::Request& request);

/// Undoes a predictor; `parameters` are sound.
std::unique_ptr<Stage> make_predictor(const Parameters& parameters, Stage& next);

}  // namespace pdf
