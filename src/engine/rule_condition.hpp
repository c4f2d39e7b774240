/// Conditions of YARA rules, evaluated without libyara where no string of the rules is in the
/// payload, as is the rule. libyara asks a callback for each byte that a condition reads, which
/// makes 40 ns of one; here it is a load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <stoq/bytes.hpp>

#include "engine/part.hpp"

namespace stoq::engine {

/// What can be done at one place of a condition.
enum class ConditionOp : std::uint8_t {
  number,         ///< `number`
  undefined,      ///< what stands for something that is not there
  file_size,      ///<
  variable,       ///< of the loop `number`
  read_at,        ///< an integer of the payload at `number`
  read,           ///< the same at a
  complement,     ///< ~ a
  negative,       ///< - a
  add,            ///< a + b, and so on
  subtract,       ///<
  multiply,       ///<
  bit_and,        ///<
  bit_or,         ///<
  bit_xor,        ///<
  shift_left,     ///<
  shift_right,    ///<
  is_number,      ///< a == `number`
  equal,          ///<
  not_equal,      ///<
  less,           ///<
  less_equal,     ///<
  greater,        ///<
  greater_equal,  ///<
  both,           ///< a and b
  either,         ///< a or b
  opposite,       ///< not a
  for_all,        ///< for all `number` in (a .. b) : ( body )
  for_any,        ///<
};

/// One place of a condition; a, b, body are places of the same one.
struct ConditionNode {
  ConditionOp op = ConditionOp::undefined;
  std::uint8_t width = 0;  ///< bytes read
  bool big_endian = false, is_signed = false;
  std::uint32_t a = 0, b = 0, body = 0;
  std::int64_t number = 0;
};

/// One rule's condition.
class Condition {
 public:
  /// The last of `nodes` is the whole.
  explicit Condition(std::vector<ConditionNode> nodes) noexcept;

  /// Whether it holds for a payload of which only the parts `readable` can be read, and in which no
  /// string of its rule is.
  [[nodiscard]] bool holds(ByteView bytes, std::span<const Part> readable) const noexcept {
    return may_hold(bytes, readable) && evaluate(bytes, readable);
  }

 private:
  /// What most payloads fail: that as many bytes as `mask` has at `at` are these.
  struct Head {
    std::size_t at = 0;
    std::uint32_t mask = 0, bytes = 0;  ///< as a little-endian processor reads four
  };

  [[nodiscard]] bool may_hold(ByteView bytes, std::span<const Part> readable) const noexcept {
    if (never_) return false;
    if (head_.mask == 0 || readable.front().end < head_.at + sizeof head_.bytes) return true;
    std::uint32_t are = 0;
    std::memcpy(&are, bytes.data() + head_.at, sizeof are);
    return (are & head_.mask) == head_.bytes;
  }
  [[nodiscard]] bool evaluate(ByteView bytes, std::span<const Part> readable) const noexcept;
  static Head head_of(const std::vector<ConditionNode>& nodes) noexcept;

  Head head_;
  bool never_ = false;
  std::vector<ConditionNode> nodes_;
};

/// The conditions of every rule of a source, in its order. Nothing when one of them asks for more
/// than integers, the payload's bytes and size, loops over constant ranges, and strings; or when
/// rules are private, global or included.
/// https://yara.readthedocs.io/en/v4.2.3/writingrules.html#conditions
[[nodiscard]] std::optional<std::vector<Condition>> rule_conditions(std::string_view source);

}  // namespace stoq::engine
