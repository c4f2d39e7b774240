/// Finds the few places of a text at which an indicator may be: the fast first pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ioc {

/// Walks over the anchors of a text in ascending order. An anchor is a byte . : @ \ / [ ( { < or -
/// that is not followed by a blank or control character, or the blank before the word "at". The
/// text must outlive the object.
class Anchors {
 public:
  static constexpr std::size_t none = std::string_view::npos;

  explicit Anchors(std::string_view text) noexcept : text_(text) {}

  /// The next anchor's offset; none at the end.
  [[nodiscard]] std::size_t next() noexcept;
  /// Anchors before `offset` are left out from now on.
  void skip_to(std::size_t offset) noexcept;

 private:
  void load() noexcept;

  std::string_view text_;
  std::size_t block_ = 0;      ///< where the bits of pending_ begin
  std::size_t following_ = 0;  ///< where the next block begins
  std::uint64_t pending_ = 0;
};

}  // namespace ioc
