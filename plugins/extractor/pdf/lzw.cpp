#include "lzw.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace pdf {
namespace {

class Lzw : public Stage {
 public:
  Lzw(bool early_change, Stage& next, const stoq::Request& request) noexcept
      : early_(early_change ? 1 : 0), next_(next), request_(request) {}

  void write(stoq::ByteView bytes) override {
    for (const auto byte : bytes) {
      if (ended_) return;
      bits_ = bits_ << 8U | std::to_integer<std::uint32_t>(byte);
      count_ += 8;
      if (count_ < width_) continue;
      count_ -= width_;
      take(bits_ >> count_ & ((1U << width_) - 1U));
    }
  }

  void finish() override {
    ended_ = true;
    next_.finish();
  }

 private:
  static constexpr unsigned clear = 256;
  static constexpr unsigned end = 257;
  static constexpr unsigned first_free = 258;
  static constexpr unsigned most = 4096;

  void take(unsigned code) {
    if (code == end) {
      ended_ = true;
    } else if (code == clear) {
      free_ = first_free;
      width_ = 9;
      before_ = none;
    } else {
      put(code);
      // Many an encoder does not clear a full table: codes go on as they are.
      if (free_ + early_ >= 2048) {
        width_ = 12;
      } else if (free_ + early_ >= 1024) {
        width_ = 11;
      } else if (free_ + early_ >= 512) {
        width_ = 10;
      }
    }
  }

  void put(unsigned code) {
    // The code that this one makes may be this one: then it ends as it begins.
    const bool is_next = code == free_ && before_ != none && free_ < most;
    if (code >= free_ && !is_next) {
      throw stoq::MalformedInput("LZWDecode: code " + std::to_string(code) +
                                 " is not in the table");
    }
    std::size_t at = text_.size();
    if (is_next) --at;
    for (auto part = is_next ? before_ : code;; part = prefix_[part]) {
      text_[--at] = part < clear ? std::byte{static_cast<std::uint8_t>(part)} : last_[part];
      if (part < clear) break;
    }
    if (is_next) text_.back() = text_[at];
    if (before_ != none && free_ < most) {
      prefix_[free_] = static_cast<std::uint16_t>(before_);
      last_[free_] = text_[at];
      ++free_;
    }
    before_ = code;
    if (++polled_ % 4096 == 0 && request_.stop_requested()) {
      throw stoq::LimitReached{"plugin_timeout"};
    }
    next_.write(stoq::ByteView(text_).subspan(at));
  }

  static constexpr unsigned none = most;
  unsigned early_;
  Stage& next_;
  const stoq::Request& request_;
  std::uint32_t bits_ = 0;
  unsigned count_ = 0;
  unsigned width_ = 9;
  unsigned free_ = first_free;
  unsigned before_ = none;
  unsigned polled_ = 0;
  bool ended_ = false;
  std::array<std::uint16_t, most> prefix_{};
  std::array<std::byte, most> last_{};
  std::array<std::byte, most + 1> text_{};
};

}  // namespace

std::unique_ptr<Stage> make_lzw(bool early_change, Stage& next, const stoq::Request& request) {
  return std::make_unique<Lzw>(early_change, next, request);
}

}  // namespace pdf
