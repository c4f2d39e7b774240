#include "partial_search.hpp"

#include <cstdint>
#include <utility>

namespace {

/// What libyara is shown: first, in order to search, the windows; then the whole.
struct Search {
  YR_SCANNER* scanner;
  stoq::ByteView bytes;
  std::span<const Window> left;
  int flags;
  bool asked = false;
  YR_MEMORY_BLOCK block{};
};

const std::uint8_t* fetch(YR_MEMORY_BLOCK* block) {
  constexpr static std::uint8_t nothing = 0;
  const auto& search = *static_cast<const Search*>(block->context);
  if (search.bytes.empty()) return &nothing;
  return reinterpret_cast<const std::uint8_t*>(search.bytes.data()) + block->base;
}

YR_MEMORY_BLOCK* show(Search& search, Window window) {
  search.block.base = window.begin;
  search.block.size = window.end - window.begin;
  search.block.context = &search;
  search.block.fetch_data = fetch;
  return &search.block;
}

YR_MEMORY_BLOCK* next(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  auto& search = *static_cast<Search*>(iterator->context);
  if (search.left.empty()) return nullptr;
  const auto window = search.left.front();
  search.left = search.left.subspan(1);
  return show(search, window);
}

YR_MEMORY_BLOCK* first(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  auto& search = *static_cast<Search*>(iterator->context);
  if (std::exchange(search.asked, true)) {
    search.left = {};
    return show(search, {0, search.bytes.size()});
  }
  return search.left.empty() ? show(search, {}) : next(iterator);
}

// It is asked between search and conditions.
std::uint64_t size(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  const auto& search = *static_cast<const Search*>(iterator->context);
  search.scanner->entry_point = YR_UNDEFINED;
  ::yr_scanner_set_flags(search.scanner, search.flags);
  return search.bytes.size();
}

}  // namespace

int search_windows(YR_SCANNER* scanner, stoq::ByteView bytes, std::span<const Window> windows,
                   int flags) {
  Search search{.scanner = scanner, .bytes = bytes, .left = windows, .flags = flags};
  YR_MEMORY_BLOCK_ITERATOR iterator{};
  iterator.context = &search;
  iterator.first = first;
  iterator.next = next;
  iterator.file_size = size;
  // Known, so that it is not looked for in every window.
  scanner->entry_point = 0;
  ::yr_scanner_set_flags(scanner, flags | SCAN_FLAGS_NO_TRYCATCH);
  return ::yr_scanner_scan_mem_blocks(scanner, &iterator);
}
