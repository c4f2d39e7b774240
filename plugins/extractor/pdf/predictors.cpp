#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>
#include <vector>

#include "filters.hpp"

namespace pdf {
namespace {

/// More than any image has, and little to allocate.
constexpr std::int64_t most_row = std::int64_t{16} << 20;

std::size_t row_size(const Parameters& parameters) noexcept {
  return static_cast<std::size_t>((parameters.columns * parameters.colors * parameters.bits + 7) /
                                  8);
}

unsigned value(std::byte byte) noexcept { return std::to_integer<unsigned>(byte); }
std::byte low_byte(unsigned value) noexcept { return std::byte{static_cast<std::uint8_t>(value)}; }

/// Gathers rows of a size; the last may be shorter.
class Rows : public Stage {
 public:
  Rows(std::size_t size, Stage& next) : next_(next), row_(size) {}

  void write(stoq::ByteView bytes) override {
    while (!bytes.empty()) {
      const auto count = std::min(bytes.size(), row_.size() - filled_);
      std::copy_n(bytes.begin(), count, row_.begin() + static_cast<std::ptrdiff_t>(filled_));
      filled_ += count;
      bytes = bytes.subspan(count);
      if (filled_ == row_.size()) flush();
    }
  }

  void finish() override {
    flush();
    next_.finish();
  }

 protected:
  /// Undoes one row where it stands and returns what of it is to be written.
  virtual stoq::ByteView undo(std::span<std::byte> row) = 0;

 private:
  void flush() {
    const auto filled = std::exchange(filled_, 0);
    if (filled > 0) next_.write(undo(std::span(row_).first(filled)));
  }

  Stage& next_;
  std::vector<std::byte> row_;
  std::size_t filled_ = 0;
};

/// PNG's (RFC 2083, 6): a byte in front of each row says how the row was made.
class Png : public Rows {
 public:
  Png(const Parameters& parameters, Stage& next)
      : Rows(row_size(parameters) + 1, next),
        pixel_(static_cast<std::size_t>((parameters.colors * parameters.bits + 7) / 8)),
        above_(row_size(parameters)) {}

 protected:
  stoq::ByteView undo(std::span<std::byte> row) override {
    const auto how = value(row[0]);
    row = row.subspan(1);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto left = i < pixel_ ? 0 : value(row[i - pixel_]);
      const auto up = value(above_[i]);
      const auto corner = i < pixel_ ? 0 : value(above_[i - pixel_]);
      row[i] = low_byte(value(row[i]) + predicted(how, left, up, corner));
    }
    std::copy(row.begin(), row.end(), above_.begin());
    return row;
  }

 private:
  static unsigned predicted(unsigned how, unsigned left, unsigned up, unsigned corner) noexcept {
    switch (how) {
      case 1:
        return left;
      case 2:
        return up;
      case 3:
        return (left + up) / 2;
      case 4:
        return paeth(static_cast<int>(left), static_cast<int>(up), static_cast<int>(corner));
      default:
        return 0;
    }
  }

  static unsigned paeth(int left, int up, int corner) noexcept {
    const int to_left = std::abs(up - corner);
    const int to_up = std::abs(left - corner);
    const int to_corner = std::abs(left + up - 2 * corner);
    if (to_left <= to_up && to_left <= to_corner) return static_cast<unsigned>(left);
    return static_cast<unsigned>(to_up <= to_corner ? up : corner);
  }

  std::size_t pixel_;
  std::vector<std::byte> above_;
};

/// TIFF's predictor 2: each sample is the difference from the one to its left.
class Tiff : public Rows {
 public:
  Tiff(const Parameters& parameters, Stage& next)
      : Rows(row_size(parameters), next),
        colors_(static_cast<std::size_t>(parameters.colors)),
        bits_(static_cast<unsigned>(parameters.bits)) {}

 protected:
  stoq::ByteView undo(std::span<std::byte> row) override {
    const auto samples = row.size() * 8 / bits_;
    for (auto i = colors_; i < samples; ++i) put(row, i, get(row, i) + get(row, i - colors_));
    return row;
  }

 private:
  [[nodiscard]] unsigned get(std::span<const std::byte> row, std::size_t sample) const noexcept {
    if (bits_ == 8) return value(row[sample]);
    if (bits_ == 16) return value(row[2 * sample]) << 8U | value(row[2 * sample + 1]);
    const auto bit = sample * bits_;
    return value(row[bit / 8]) >> (8 - bits_ - bit % 8) & ((1U << bits_) - 1U);
  }

  void put(std::span<std::byte> row, std::size_t sample, unsigned sum) const noexcept {
    if (bits_ == 8) {
      row[sample] = low_byte(sum);
    } else if (bits_ == 16) {
      row[2 * sample] = low_byte(sum >> 8U);
      row[2 * sample + 1] = low_byte(sum);
    } else {
      const auto bit = sample * bits_;
      const auto shift = 8 - bits_ - bit % 8;
      const auto mask = (1U << bits_) - 1U;
      row[bit / 8] = low_byte((value(row[bit / 8]) & ~(mask << shift)) | (sum & mask) << shift);
    }
  }

  std::size_t colors_;
  unsigned bits_;
};

}  // namespace

bool Parameters::are_sound() const noexcept {
  if (!predicts()) return true;
  const bool known = predictor == 2 || (predictor >= 10 && predictor <= 15);
  const bool fits = bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16;
  return known && fits && colors >= 1 && colors <= 256 && columns >= 1 && columns <= most_row &&
         columns * colors * bits <= most_row * 8;
}

std::unique_ptr<Stage> make_predictor(const Parameters& parameters, Stage& next) {
  if (parameters.predictor == 2) return std::make_unique<Tiff>(parameters, next);
  return std::make_unique<Png>(parameters, next);
}

}  // namespace pdf
