#include "needles.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include <yara/ahocorasick.h>

#include "regex_code.hpp"

namespace {

constexpr std::size_t longest_needle = 64, longest_before_point = 32;
// `fullword`, `\b`, `^` and `$` ask for the character beside a match, which may be of two bytes.
constexpr std::size_t beside = 4;
constexpr std::size_t most_links = 64;

/// The bytes that lead to a state of the automaton, and what is tried there.
struct Atom {
  std::string bytes;
  const YR_AC_MATCH* trial;
};

using Characters = std::vector<ByteSet>;

/// Characters of a byte each, and where libyara tries: `point` is counted from the first.
struct Placed {
  Characters characters;
  std::ptrdiff_t point;
};

// --- The automaton ----------------------------------------------------------------------------

/// All atoms. The trials of a state are also those of all states that its bytes end with; breadth
/// first, the one whose atom it is comes first. Nothing if an atom has no bytes.
std::optional<std::vector<Atom>> atoms_of(const YR_RULES& rules) {
  struct State {
    std::size_t number;
    std::string bytes;
  };
  std::vector<State> states{{YR_AC_ROOT_STATE, {}}};
  std::vector<Atom> atoms;
  std::set<const YR_AC_MATCH*> seen;
  for (std::size_t at = 0; at < states.size(); ++at) {
    const auto [number, bytes] = states[at];
    if (const auto first = rules.ac_match_table[number]; first != 0) {
      if (bytes.empty()) return std::nullopt;
      for (const auto* trial = &rules.ac_match_pool[first - 1]; trial != nullptr;
           trial = trial->next) {
        if (seen.insert(trial).second) atoms.push_back({bytes, trial});
      }
    }
    for (unsigned byte = 0; byte < 256; ++byte) {
      const auto transition = rules.ac_transition_table[number + byte + 1];
      if (YR_AC_INVALID_TRANSITION(transition, byte + 1)) continue;
      if (bytes.size() == YR_MAX_ATOM_LENGTH) return std::nullopt;
      states.push_back({YR_AC_NEXT_STATE(transition), bytes + static_cast<char>(byte)});
    }
  }
  return atoms;
}

// --- Needles of a string ----------------------------------------------------------------------

Characters characters_of(std::string_view bytes) {
  Characters characters;
  for (const char c : bytes) characters.push_back(ByteSet().set(static_cast<unsigned char>(c)));
  return characters;
}

template <class Text>
Text widened(const Text& narrow, typename Text::value_type zero) {
  Text wide;
  for (const auto& character : narrow) {
    wide.push_back(character);
    wide.push_back(zero);
  }
  return wide;
}

/// From the point where libyara tries to the atom.
std::size_t lead_of(const Atom& atom) { return atom.trial->backtrack - atom.bytes.size(); }

bool stands_in(const Atom& atom, const Characters& characters) {
  if (characters.size() < atom.trial->backtrack) return false;
  const bool any_case = STRING_IS_NO_CASE(atom.trial->string) != 0;
  for (std::size_t i = 0; i < atom.bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(atom.bytes[i]);
    const auto& character = characters[lead_of(atom) + i];
    const auto fits = [&](int variant) { return character[static_cast<std::size_t>(variant)]; };
    if (fits(byte)) continue;
    if (!any_case || !(fits(std::tolower(byte)) || fits(std::toupper(byte)))) return false;
  }
  return true;
}

/// The whole of a plain text, if the atom is one of that form.
std::optional<Placed> whole_text(const Atom& atom, bool wide) {
  const auto& string = *atom.trial->string;
  std::string text(reinterpret_cast<const char*>(string.string),
                   static_cast<std::size_t>(string.length));
  if (wide) text = widened(text, '\0');
  if (STRING_IS_XOR(&string) && lead_of(atom) < text.size()) {
    const auto key = static_cast<unsigned char>(text[lead_of(atom)] ^ atom.bytes[0]);
    for (char& c : text) c = static_cast<char>(static_cast<unsigned char>(c) ^ key);
  }
  auto characters = characters_of(text);
  if (!stands_in(atom, characters)) return std::nullopt;
  return Placed{std::move(characters), 0};
}

/// As much of an expression around the atom as is of fixed length. Of both forms at once libyara
/// tries each at the other's atoms: nothing then.
std::optional<Placed> fixed_part(const Atom& atom) {
  const auto& string = *atom.trial->string;
  const bool wide = STRING_IS_WIDE(&string) != 0;
  if (wide && STRING_IS_ASCII(&string)) return std::nullopt;
  auto ahead = leading_characters(atom.trial->forward_code, longest_needle);
  Characters behind;
  if (atom.trial->backward_code != nullptr) {
    behind = leading_characters(atom.trial->backward_code, longest_before_point);
  }
  std::reverse(behind.begin(), behind.end());
  if (wide) {
    ahead = widened(ahead, ByteSet().set(0));
    behind = widened(behind, ByteSet().set(0));
  }
  if (!stands_in(atom, ahead)) return std::nullopt;
  const auto point = static_cast<std::ptrdiff_t>(behind.size());
  behind.insert(behind.end(), ahead.begin(), ahead.end());
  return Placed{std::move(behind), point};
}

/// Without what any byte fits at its ends, and cut to a length.
Placed trimmed(Placed placed) {
  auto& [characters, point] = placed;
  if (characters.size() > longest_needle) characters.resize(longest_needle);
  while (!characters.empty() && characters.back().all()) characters.pop_back();
  const auto first = std::find_if_not(characters.begin(), characters.end(),
                                      [](const ByteSet& set) { return set.all(); });
  point -= first - characters.begin();
  characters.erase(characters.begin(), first);
  return placed;
}

Placed longest_placed(const Atom& atom) {
  const auto& string = *atom.trial->string;
  std::optional<Placed> found, wide;
  if (!STRING_IS_LITERAL(&string)) {
    found = fixed_part(atom);
  } else if (!STRING_IS_BASE64(&string) && !STRING_IS_BASE64_WIDE(&string)) {
    if (STRING_IS_ASCII(&string)) found = whole_text(atom, false);
    if (STRING_IS_WIDE(&string)) wide = whole_text(atom, true);
  }
  if (found.has_value() != wide.has_value()) {
    auto placed = trimmed(std::move(found ? *found : *wide));
    if (!placed.characters.empty()) return placed;
  }
  return {characters_of(atom.bytes), -static_cast<std::ptrdiff_t>(lead_of(atom))};
}

void append_byte(std::string& text, std::size_t byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  ((text += "\\x") += digits[byte >> 4U]) += digits[byte & 15U];
}

std::string expression_of(const ByteSet& set) {
  if (set.all()) return ".";
  std::string text;
  for (std::size_t byte = 0; byte < set.size(); ++byte) {
    if (!set[byte]) continue;
    append_byte(text, byte);
    const auto first = byte;
    while (byte + 1 < set.size() && set[byte + 1]) ++byte;
    if (byte != first) append_byte(text += '-', byte);
  }
  return set.count() == 1 ? text : '[' + text + ']';
}

std::string expression_of(const Characters& characters) {
  std::string text;
  for (const auto& set : characters) text += expression_of(set);
  return text;
}

/// How far from its point the trial may look, to the left and to the right.
std::pair<std::size_t, std::size_t> reach_of(const YR_AC_MATCH& trial) {
  const auto& string = *trial.string;
  const std::size_t width = STRING_IS_WIDE(&string) ? 2 : 1;
  std::size_t left = 0, right = 0;
  if (STRING_IS_LITERAL(&string)) {
    right = static_cast<std::size_t>(string.length);
  } else {
    right = longest_match(trial.forward_code);
    if (trial.backward_code != nullptr) left = longest_match(trial.backward_code);
  }
  return {left * width, std::max<std::size_t>(right * width, trial.backtrack)};
}

std::size_t above_zero(std::ptrdiff_t value) {
  return static_cast<std::size_t>(std::max<std::ptrdiff_t>(value, 0));
}

/// Nothing when it stands for an offset that libyara never tries.
std::optional<Needle> needle_of(const Atom& atom) {
  const auto& string = *atom.trial->string;
  const auto [characters, point] = longest_placed(atom);
  const auto [left, right] = reach_of(*atom.trial);
  Needle needle;
  needle.expression = expression_of(characters);
  needle.size = characters.size();
  needle.any_case = STRING_IS_NO_CASE(&string) != 0;
  needle.before = above_zero(static_cast<std::ptrdiff_t>(left) - point) + beside;
  needle.after = above_zero(static_cast<std::ptrdiff_t>(right) + point -
                            static_cast<std::ptrdiff_t>(needle.size)) +
                 beside;
  if (STRING_IS_FIXED_OFFSET(&string)) {
    const auto begin = static_cast<std::ptrdiff_t>(string.fixed_offset) - point;
    if (begin < 0) return std::nullopt;
    needle.only_at = static_cast<std::size_t>(begin);
  }
  return needle;
}

// --- Chains -----------------------------------------------------------------------------------

/// Numbers the chains and their links.
class Chains {
 public:
  std::optional<ChainLink> link_of(const YR_STRING& string) {
    if (!STRING_IS_CHAIN_PART(&string)) return std::nullopt;
    const auto* head = &string;
    std::size_t link = 0;
    for (; head->chained_to != nullptr; head = head->chained_to) ++link;
    const auto chain = numbers_.emplace(head, links_.size()).first->second;
    links_.resize(numbers_.size());
    links_[chain] = std::max(links_[chain], link + 1);
    return ChainLink{chain, link};
  }
  [[nodiscard]] const std::vector<std::size_t>& links() const { return links_; }

 private:
  std::map<const YR_STRING*, std::size_t> numbers_;
  std::vector<std::size_t> links_;
};

/// libyara folds letters as the locale says, the finder those of ASCII.
bool folds_only_ascii() {
  for (int byte = 0; byte < 256; ++byte) {
    const bool is_capital = byte >= 'A' && byte <= 'Z';
    if (std::tolower(byte) != (is_capital ? byte - 'A' + 'a' : byte)) return false;
  }
  return true;
}

}  // namespace

std::optional<Needles> needles_of(const YR_RULES& rules) {
  const auto atoms = atoms_of(rules);
  if (!atoms || !folds_only_ascii()) return std::nullopt;
  Chains chains;
  using Key = std::tuple<std::string, bool, std::optional<std::size_t>, std::optional<ChainLink>>;
  std::map<Key, Needle> needles;
  for (const auto& atom : *atoms) {
    if (atom.trial->backtrack < atom.bytes.size()) return std::nullopt;
    auto needle = needle_of(atom);
    if (!needle) continue;
    needle->link = chains.link_of(*atom.trial->string);
    if (needle->link && needle->link->link >= most_links) return std::nullopt;
    const Key key(needle->expression, needle->any_case, needle->only_at, needle->link);
    const auto [found, is_new] = needles.emplace(key, *needle);
    found->second.before = std::max(found->second.before, needle->before);
    found->second.after = std::max(found->second.after, needle->after);
  }
  Needles result;
  for (auto& [key, needle] : needles) result.needles.push_back(std::move(needle));
  result.links = chains.links();
  return result;
}
