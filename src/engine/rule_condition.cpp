#include "engine/rule_condition.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "engine/condition_reader.hpp"

namespace stoq::engine {
namespace {

using Op = ConditionOp;

/// A number, or nothing where what it is made of is not there. Truths are 1 and 0.
struct Result {
  std::int64_t number = 0;
  bool defined = false;
  [[nodiscard]] bool holds() const noexcept { return defined && number != 0; }
};

template <typename Number>
std::int64_t load(const std::byte* from, bool big_endian) noexcept {
  std::array<std::byte, sizeof(Number)> raw;
  std::memcpy(raw.data(), from, sizeof(Number));
  static_assert(std::endian::native == std::endian::little);
  if (big_endian) std::reverse(raw.begin(), raw.end());
  return static_cast<std::int64_t>(std::bit_cast<Number>(raw));
}

class Evaluation {
 public:
  Evaluation(const std::vector<ConditionNode>& nodes, ByteView bytes,
             std::span<const Part> readable) noexcept
      : nodes_(nodes), bytes_(bytes), readable_(readable) {}

  // NOLINTNEXTLINE(misc-no-recursion): as deep as the rule's author nested it
  Result of(std::uint32_t place) noexcept {
    const auto& node = nodes_[place];
    switch (node.op) {
      case Op::number:
        return {node.number, true};
      case Op::undefined:
        return {};
      case Op::file_size:
        return {static_cast<std::int64_t>(bytes_.size()), true};
      case Op::variable:
        return {variables_[static_cast<std::size_t>(node.number)], true};
      case Op::read_at:
        return read(node, node.number);
      case Op::read: {
        const auto at = of(node.a);
        return at.defined ? read(node, at.number) : Result{};
      }
      case Op::is_number: {
        const auto is = of(node.a);
        return {is.number == node.number ? 1 : 0, is.defined};
      }
      case Op::both:
        return {of(node.a).holds() && of(node.b).holds() ? 1 : 0, true};
      case Op::either:
        return {of(node.a).holds() || of(node.b).holds() ? 1 : 0, true};
      case Op::opposite: {
        const auto is = of(node.a);
        return {is.number == 0 ? 1 : 0, is.defined};
      }
      case Op::complement:
      case Op::negative: {
        const auto is = of(node.a);
        const auto bits = static_cast<std::uint64_t>(is.number);
        return {static_cast<std::int64_t>(node.op == Op::negative ? 0 - bits : ~bits), is.defined};
      }
      case Op::for_all:
      case Op::for_any:
        return loop(node);
      default:
        return of_two(node);
    }
  }

 private:
  Result read(const ConditionNode& node, std::int64_t at) const noexcept {
    if (at < 0) return {};
    const auto begin = static_cast<std::uint64_t>(at);
    for (const auto& part : readable_) {
      if (begin < part.begin || begin >= part.end || part.end - begin < node.width) continue;
      const auto* const from = bytes_.data() + begin;
      return {number_at(node, from), true};
    }
    return {};
  }

  static std::int64_t number_at(const ConditionNode& node, const std::byte* from) noexcept {
    if (node.width == 1) {
      return node.is_signed ? load<std::int8_t>(from, false) : load<std::uint8_t>(from, false);
    }
    if (node.width == 2) {
      return node.is_signed ? load<std::int16_t>(from, node.big_endian)
                            : load<std::uint16_t>(from, node.big_endian);
    }
    return node.is_signed ? load<std::int32_t>(from, node.big_endian)
                          : load<std::uint32_t>(from, node.big_endian);
  }

  Result loop(const ConditionNode& node) noexcept {
    const auto first = of(node.a), last = of(node.b);
    if (!first.defined || !last.defined) return {};
    const bool all = node.op == Op::for_all;
    for (auto i = first.number; i <= last.number; ++i) {
      variables_[static_cast<std::size_t>(node.number)] = i;
      if (of(node.body).holds() != all) return {all ? 0 : 1, true};
    }
    return {all ? 1 : 0, true};
  }

  Result of_two(const ConditionNode& node) noexcept {
    const auto a = of(node.a), b = of(node.b);
    if (!a.defined || !b.defined) return {};
    const auto x = static_cast<std::uint64_t>(a.number), y = static_cast<std::uint64_t>(b.number);
    const auto wrapped = [](std::uint64_t bits) {
      return Result{static_cast<std::int64_t>(bits), true};
    };
    const auto truth = [](bool is) { return Result{is ? 1 : 0, true}; };
    switch (node.op) {
      case Op::add:
        return wrapped(x + y);
      case Op::subtract:
        return wrapped(x - y);
      case Op::multiply:
        return wrapped(x * y);
      case Op::bit_and:
        return wrapped(x & y);
      case Op::bit_or:
        return wrapped(x | y);
      case Op::bit_xor:
        return wrapped(x ^ y);
      case Op::shift_left:
        return b.number < 0 ? Result{} : b.number >= 64 ? wrapped(0) : wrapped(x << y);
      case Op::shift_right:
        return b.number < 0     ? Result{}
               : b.number >= 64 ? wrapped(0)
                                : Result{a.number >> b.number, true};
      case Op::equal:
        return truth(a.number == b.number);
      case Op::not_equal:
        return truth(a.number != b.number);
      case Op::less:
        return truth(a.number < b.number);
      case Op::less_equal:
        return truth(a.number <= b.number);
      case Op::greater:
        return truth(a.number > b.number);
      case Op::greater_equal:
        return truth(a.number >= b.number);
      default:
        return {};
    }
  }

  const std::vector<ConditionNode>& nodes_;
  ByteView bytes_;
  std::span<const Part> readable_;
  std::array<std::int64_t, ConditionReader::most_loops> variables_{};
};

// --- The trial --------------------------------------------------------------------------------

}  // namespace

Condition::Condition(std::vector<ConditionNode> nodes) noexcept
    : head_(head_of(nodes)),
      never_(nodes.back().op == Op::number && nodes.back().number == 0),
      nodes_(std::move(nodes)) {}

Condition::Head Condition::head_of(const std::vector<ConditionNode>& nodes) noexcept {
  const auto* node = &nodes.back();
  while (node->op == Op::both) node = &nodes[node->a];
  if (node->op != Op::is_number || nodes[node->a].op != Op::read_at) return {};
  const auto& read = nodes[node->a];
  if (read.is_signed || read.number < 0) return {};
  const auto mask = read.width == 4 ? ~std::uint32_t{0} : (1U << read.width * 8U) - 1;
  if (node->number < 0 || node->number > mask) return {};
  auto bytes = static_cast<std::uint32_t>(node->number);
  if (read.big_endian && read.width > 1) {
    bytes = __builtin_bswap32(bytes) >> (32U - read.width * 8U);
  }
  return {static_cast<std::size_t>(read.number), mask, bytes};
}

bool Condition::evaluate(ByteView bytes, std::span<const Part> readable) const noexcept {
  Evaluation evaluation(nodes_, bytes, readable);
  return evaluation.of(static_cast<std::uint32_t>(nodes_.size() - 1)).holds();
}

}  // namespace stoq::engine
