#include "engine/string_filter.hpp"

#include <climits>
#include <new>

#include <hs.h>

namespace stoq::engine {
namespace {

int on_match(unsigned /*id*/, unsigned long long /*from*/, unsigned long long /*to*/,
             unsigned /*flags*/, void* /*context*/) {
  return 1;  // one is enough
}

}  // namespace

std::unique_ptr<StringFilter> StringFilter::make(const std::vector<StringExpression>& strings) {
  if (strings.empty() || hs_valid_platform() != HS_SUCCESS) return nullptr;
  std::vector<const char*> texts;
  std::vector<unsigned> flags;
  for (const auto& string : strings) {
    texts.push_back(string.text.c_str());
    flags.push_back(HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH | HS_FLAG_PREFILTER |
                    (string.any_case ? unsigned{HS_FLAG_CASELESS} : 0U));
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* problem = nullptr;
  const auto result =
      hs_compile_multi(texts.data(), flags.data(), nullptr, static_cast<unsigned>(texts.size()),
                       HS_MODE_BLOCK, nullptr, &database, &problem);
  if (problem != nullptr) hs_free_compile_error(problem);
  if (result != HS_SUCCESS) return nullptr;
  return std::unique_ptr<StringFilter>(new StringFilter(database));
}

StringFilter::~StringFilter() { hs_free_database(database_); }

StringFilter::Scratch::Scratch(const StringFilter& filter) {
  if (hs_alloc_scratch(filter.database_, &scratch_) != HS_SUCCESS) throw std::bad_alloc();
}

StringFilter::Scratch::~Scratch() { hs_free_scratch(scratch_); }

bool StringFilter::may_match(ByteView bytes, Scratch& scratch) const {
  if (bytes.size() > UINT_MAX) return true;
  return hs_scan(database_, reinterpret_cast<const char*>(bytes.data()),
                 static_cast<unsigned>(bytes.size()), 0, scratch.scratch_, on_match,
                 nullptr) != HS_SUCCESS;
}

}  // namespace stoq::engine
