#include "regex_code.hpp"

#include <algorithm>
#include <cstring>
#include <map>

#include <yara.h>
#include <yara/re.h>

namespace {

constexpr std::size_t limit = YR_RE_SCAN_LIMIT;

// Sizes of instructions with their arguments.
constexpr std::size_t literal_size = 2, masked_size = 3, class_size = 1 + sizeof(RE_CLASS),
                      jump_size = 3, split_size = 4, repeat_any_size = 5, repeat_size = 9;

template <class Number>
Number read(const std::uint8_t* at) {
  Number number;
  std::memcpy(&number, at, sizeof number);
  return number;
}

/// An instruction that takes `length` characters, at most one, and goes on behind itself.
struct Instruction {
  std::size_t size = 0;  ///< 0: it is another
  std::size_t length = 0;

  static Instruction of(const std::uint8_t* at) {
    switch (*at) {
      case RE_OPCODE_LITERAL:
#ifdef RE_OPCODE_NOT_LITERAL  // since 4.3, as the next one
      case RE_OPCODE_NOT_LITERAL:
#endif
        return {literal_size, 1};
      case RE_OPCODE_MASKED_LITERAL:
#ifdef RE_OPCODE_MASKED_NOT_LITERAL
      case RE_OPCODE_MASKED_NOT_LITERAL:
#endif
        return {masked_size, 1};
      case RE_OPCODE_CLASS:
        return {class_size, 1};
      case RE_OPCODE_ANY:
      case RE_OPCODE_WORD_CHAR:
      case RE_OPCODE_NON_WORD_CHAR:
      case RE_OPCODE_SPACE:
      case RE_OPCODE_NON_SPACE:
      case RE_OPCODE_DIGIT:
      case RE_OPCODE_NON_DIGIT:
        return {1, 1};
      case RE_OPCODE_MATCH_AT_START:
      case RE_OPCODE_MATCH_AT_END:
      case RE_OPCODE_WORD_BOUNDARY:
      case RE_OPCODE_NON_WORD_BOUNDARY:
        return {1, 0};
      default:
        return {};
    }
  }
};

/// Goes through all ways that code can take. Those that lead back may be gone without end.
class LongestWay {
 public:
  /// Up to `end`, or to the instruction that ends a match.
  explicit LongestWay(const std::uint8_t* end = nullptr) : end_(end) {}

  std::size_t from(const std::uint8_t* at) {
    std::size_t length = 0;
    while (at != end_) {
      switch (*at) {
        case RE_OPCODE_MATCH:
          return length;
        case RE_OPCODE_JUMP: {
          const auto distance = read<std::int16_t>(at + 1);
          if (distance < static_cast<int>(jump_size)) return limit;
          at += distance;
          break;
        }
        case RE_OPCODE_SPLIT_A:
        case RE_OPCODE_SPLIT_B:
          return std::min(limit, length + from_split(at));
        case RE_OPCODE_REPEAT_START_GREEDY:
        case RE_OPCODE_REPEAT_START_UNGREEDY: {
          const auto times = read<std::uint16_t>(at + 3);
          const auto distance = read<std::int32_t>(at + 5);
          if (distance < static_cast<int>(2 * repeat_size)) return limit;
          const auto* const next = at + distance;
          length += std::size_t{times} * LongestWay(next - repeat_size).from(at + repeat_size);
          at = next;
          break;
        }
        case RE_OPCODE_REPEAT_ANY_GREEDY:
        case RE_OPCODE_REPEAT_ANY_UNGREEDY:
          length += std::size_t{read<std::uint16_t>(at + 3)};
          at += repeat_any_size;
          break;
        default: {
          const auto plain = Instruction::of(at);
          if (plain.size == 0) return limit;
          length += plain.length;
          at += plain.size;
        }
      }
      if (length >= limit) return limit;
    }
    return length;
  }

 private:
  std::size_t from_split(const std::uint8_t* at) {
    if (const auto known = from_split_.find(at); known != from_split_.end()) return known->second;
    const auto distance = read<std::int16_t>(at + 2);
    const auto longest = distance < static_cast<int>(split_size)
                             ? limit
                             : std::max(from(at + split_size), from(at + distance));
    return from_split_[at] = longest;
  }

  const std::uint8_t* end_;
  std::map<const std::uint8_t*, std::size_t> from_split_;
};

/// The bytes that one instruction takes: more than those that it does where it is not worth while
/// to tell. None of instructions that take no single byte.
ByteSet bytes_taken(const std::uint8_t* at) {
  ByteSet set;
  switch (*at) {
    case RE_OPCODE_LITERAL:
      return set.set(at[1]);
    case RE_OPCODE_MASKED_LITERAL:
      for (unsigned byte = 0; byte < set.size(); ++byte) set[byte] = (byte & at[2]) == at[1];
      return set;
    case RE_OPCODE_CLASS: {
      const auto kind = read<RE_CLASS>(at + 1);
      for (unsigned byte = 0; byte < set.size(); ++byte) {
        const bool is_listed = (kind.bitmap[byte / 8] >> byte % 8 & 1) != 0;
        set[byte] = is_listed != (kind.negated != 0);
      }
      return set;
    }
    default:
      return Instruction::of(at).length == 1 ? set.set() : set;
  }
}

}  // namespace

std::size_t longest_match(const std::uint8_t* code) { return LongestWay().from(code); }

std::vector<ByteSet> leading_characters(const std::uint8_t* code, std::size_t most) {
  std::vector<ByteSet> characters;
  while (characters.size() < most) {
    if (*code == RE_OPCODE_REPEAT_ANY_GREEDY || *code == RE_OPCODE_REPEAT_ANY_UNGREEDY) {
      const auto least = read<std::uint16_t>(code + 1);
      if (least != read<std::uint16_t>(code + 3)) break;
      characters.insert(characters.end(), std::min<std::size_t>(least, most - characters.size()),
                        ByteSet().set());
      code += repeat_any_size;
    } else {
      const auto set = bytes_taken(code);
      if (set.none()) break;
      characters.push_back(set);
      code += Instruction::of(code).size;
    }
  }
  return characters;
}
