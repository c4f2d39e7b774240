#include "engine/string_filter.hpp"

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <new>
#include <utility>

#include <hs.h>

namespace stoq::engine {
namespace {

// What stands around a match decides as well (fullword). More of it costs nothing, and joins
// neighbours.
constexpr std::size_t beside = 32;
// A part costs libyara as much as a few hundred bytes.
constexpr std::size_t most_parts = 4096;
// Longer strings than dispatch rules have; libyara itself gives up on some at 4 KiB.
constexpr std::size_t longest = 4096;

using Database = std::unique_ptr<hs_database_t, hs_error_t (*)(hs_database_t*)>;

Database compile(const std::vector<StringExpression>& strings, unsigned more_flags) {
  std::vector<const char*> texts;
  std::vector<unsigned> flags, numbers;
  for (const auto& string : strings) {
    numbers.push_back(static_cast<unsigned>(numbers.size()));
    texts.push_back(string.text.c_str());
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

/// How long a match of each string is at most; empty when that is not known of every one.
std::vector<std::size_t> widths_of(const std::vector<StringExpression>& strings) {
  std::vector<std::size_t> widths;
  for (const auto& string : strings) {
    hs_expr_info_t* info = nullptr;
    hs_compile_error_t* problem = nullptr;
    const auto result = hs_expression_info(string.text.c_str(), HS_FLAG_DOTALL, &info, &problem);
    const std::unique_ptr<hs_expr_info_t, void (*)(void*)> freed(info, std::free);
    if (problem != nullptr) hs_free_compile_error(problem);
    if (result != HS_SUCCESS || !string.whole || info->max_width > longest) return {};
    widths.push_back(info->max_width);
  }
  return widths;
}

struct Finding {
  const std::vector<std::size_t>& widths;
  Part within;
  std::size_t first;  ///< of the parts that are this search's
  std::size_t most;   ///< bytes in them
  std::vector<Part>& parts;
  std::size_t bytes = 0;
};

// Matches come by their ends. A longer string may begin before the last part does.
int on_match(unsigned id, unsigned long long /*from*/, unsigned long long to, unsigned /*flags*/,
             void* context) {
  auto& finding = *static_cast<Finding*>(context);
  if (finding.widths.empty()) return 1;
  const auto size = finding.within.size();
  const auto end = std::min<std::size_t>(to, size);
  const auto reach = finding.widths[id] + beside;
  Part part{finding.within.begin + (end > reach ? end - reach : 0),
            finding.within.begin + std::min(end + beside, size)};
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

}  // namespace

std::unique_ptr<StringFilter> StringFilter::make(const std::vector<StringExpression>& strings) {
  if (strings.empty() || hs_valid_platform() != HS_SUCCESS) return nullptr;
  auto widths = widths_of(strings);
  auto database = widths.empty() ? Database(nullptr, hs_free_database) : compile(strings, 0);
  if (!database) {
    widths.clear();
    database = compile(strings, HS_FLAG_SINGLEMATCH | HS_FLAG_PREFILTER);
  }
  if (!database) return nullptr;
  return std::unique_ptr<StringFilter>(new StringFilter(database.release(), std::move(widths)));
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
  Finding finding{widths_, within, parts.size(), searched.size() / 2, parts};
  return hs_scan(database_, reinterpret_cast<const char*>(searched.data()),
                 static_cast<unsigned>(searched.size()), 0, scratch.scratch_, on_match,
                 &finding) == HS_SUCCESS;
}

}  // namespace stoq::engine
