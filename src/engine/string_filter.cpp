#include "engine/string_filter.hpp"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <new>
#include <utility>

#include <hs.h>

#include "support/digest.hpp"

namespace stoq::engine {
namespace {

// What stands around a match decides as well (fullword). More of it costs nothing, and joins
// neighbours.
constexpr std::size_t beside = 32;
// A part costs libyara as much as a few hundred bytes.
constexpr std::size_t most_parts = 4096;
// Longer strings than dispatch rules have; libyara itself gives up on some at 4 KiB.
constexpr std::size_t longest = 4096;

// Of literals alone, and short ones, Hyperscan makes a table in a millisecond; one expression among
// them, or one that ends in equal bytes, and it takes fifty.
constexpr std::size_t least_literal = 3, usual_literal = 4, longest_literal = 8;

/// What is looked for: the bytes with which a string begins, or, where they are too few, all of it.
struct Pattern {
  std::string text;
  std::size_t literal = 0;  ///< bytes, if it is one
};

Pattern pattern_of(const StringExpression& string) {
  auto head = string.head.substr(0, longest_literal);
  while (head.size() > usual_literal && head.back() == head[head.size() - 2]) head.pop_back();
  const bool rare = head.find_first_not_of(head.substr(0, 1)) != head.npos;
  if (head.size() < least_literal || !rare) return {string.text, 0};
  Pattern made{{}, head.size()};
  for (const char c : head) {
    made.text += "\\x";
    support::append_hex(made.text, as_bytes(std::string_view(&c, 1)));
  }
  return made;
}

using Database = std::unique_ptr<hs_database_t, hs_error_t (*)(hs_database_t*)>;

Database compile(const std::vector<StringExpression>& strings, unsigned more_flags) {
  std::vector<Pattern> patterns;
  for (const auto& string : strings) patterns.push_back(pattern_of(string));
  std::vector<const char*> texts;
  std::vector<unsigned> flags, numbers;
  for (const auto& string : strings) {
    texts.push_back(patterns[numbers.size()].text.c_str());
    numbers.push_back(static_cast<unsigned>(numbers.size()));
    flags.push_back(HS_FLAG_DOTALL | more_flags |
                    (string.any_case ? unsigned{HS_FLAG_CASELESS} : 0U));
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* problem = nullptr;
  const auto result = hs_compile_multi(texts.data(), flags.data(), numbers.data(),
                                       static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, nullptr,
                                       &database, &problem);
  if (problem != nullptr) hs_free_compile_error(problem);
  return {result == HS_SUCCESS ? database : nullptr, hs_free_database};
}

}  // namespace

std::vector<StringFilter::Reach> StringFilter::reaches_of(
    const std::vector<StringExpression>& strings) {
  std::vector<Reach> reaches;
  for (const auto& string : strings) {
    hs_expr_info_t* info = nullptr;
    hs_compile_error_t* problem = nullptr;
    const auto result = hs_expression_info(string.text.c_str(), HS_FLAG_DOTALL, &info, &problem);
    const std::unique_ptr<hs_expr_info_t, void (*)(void*)> freed(info, std::free);
    if (problem != nullptr) hs_free_compile_error(problem);
    if (result != HS_SUCCESS || !string.whole || info->max_width > longest) return {};
    const auto literal = pattern_of(string).literal;
    reaches.push_back(literal == 0 ? Reach{info->max_width + beside, beside}
                                   : Reach{literal + beside, info->max_width - literal + beside});
  }
  return reaches;
}

struct StringFilter::Finding {
  const std::vector<Reach>& reaches;
  Part within;
  std::size_t first;  ///< of the parts that are this search's
  std::size_t most;   ///< bytes in them
  std::vector<Part>& parts;
  std::size_t bytes = 0;
};

// Matches come by their ends. A longer string may begin before the last part does.
int StringFilter::on_match(unsigned id, unsigned long long /*from*/, unsigned long long to,
                           unsigned /*flags*/, void* context) {
  auto& finding = *static_cast<Finding*>(context);
  if (finding.reaches.empty()) return 1;
  const auto size = finding.within.size();
  const auto end = std::min<std::size_t>(to, size);
  const auto [before, behind] = finding.reaches[id];
  Part part{finding.within.begin + (end > before ? end - before : 0),
            finding.within.begin + std::min(end + behind, size)};
  auto& parts = finding.parts;
  while (parts.size() > finding.first && parts.back().end >= part.begin) {
    part = {std::min(part.begin, parts.back().begin), std::max(part.end, parts.back().end)};
    finding.bytes -= parts.back().size();
    parts.pop_back();
  }
  parts.push_back(part);
  finding.bytes += part.size();
  return finding.bytes > finding.most || parts.size() > most_parts ? 1 : 0;
}

std::unique_ptr<StringFilter> StringFilter::make(const std::vector<StringExpression>& strings) {
  if (strings.empty() || hs_valid_platform() != HS_SUCCESS) return nullptr;
  auto reaches = reaches_of(strings);
  auto database = reaches.empty() ? Database(nullptr, hs_free_database) : compile(strings, 0);
  if (!database) {
    reaches.clear();
    database = compile(strings, HS_FLAG_SINGLEMATCH | HS_FLAG_PREFILTER);
  }
  if (!database) return nullptr;
  return std::unique_ptr<StringFilter>(new StringFilter(database.release(), std::move(reaches)));
}

StringFilter::~StringFilter() { hs_free_database(database_); }

StringFilter::Scratch::Scratch(const StringFilter& filter) {
  if (hs_alloc_scratch(filter.database_, &scratch_) != HS_SUCCESS) throw std::bad_alloc();
}

StringFilter::Scratch::~Scratch() { hs_free_scratch(scratch_); }

bool StringFilter::find(ByteView bytes, Part within, Scratch& scratch,
                        std::vector<Part>& parts) const {
  const auto searched = bytes.subspan(within.begin, within.size());
  if (searched.size() > UINT_MAX) return false;
  Finding finding{reaches_, within, parts.size(), searched.size() / 2, parts};
  return hs_scan(database_, reinterpret_cast<const char*>(searched.data()),
                 static_cast<unsigned>(searched.size()), 0, scratch.scratch_, on_match,
                 &finding) == HS_SUCCESS;
}

}  // namespace stoq::engine
