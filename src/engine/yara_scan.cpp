#include "engine/yara_scan.hpp"

#include <cstdint>

#include <yara.h>

#include <stoq/bytes.hpp>

namespace stoq::engine {
namespace {

constexpr std::size_t large = std::size_t{64} << 20;
constexpr std::size_t window_head = std::size_t{16} << 20;
constexpr std::size_t window_tail = std::size_t{64} << 10;

/// Parts of a payload as libyara's blocks: those to be searched the first time that it asks, then,
/// while it evaluates conditions, those that can be read. It asks again for each read of a byte.
struct Blocks {
  ByteView bytes;
  std::span<const Part> parts;     ///< for whenever it begins anew
  std::span<const Part> readable;  ///< for the second time and all that follow
  std::size_t shown = 0;
  YR_MEMORY_BLOCK block{};
};

const std::uint8_t* fetch(YR_MEMORY_BLOCK* block) {
  const auto& blocks = *static_cast<const Blocks*>(block->context);
  return reinterpret_cast<const std::uint8_t*>(blocks.bytes.data()) + block->base;
}

YR_MEMORY_BLOCK* next(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  auto& blocks = *static_cast<Blocks*>(iterator->context);
  if (blocks.shown == blocks.parts.size()) {
    blocks.parts = blocks.readable;
    return nullptr;
  }
  const auto& part = blocks.parts[blocks.shown++];
  blocks.block.base = part.begin;
  blocks.block.size = part.size();
  return &blocks.block;
}

YR_MEMORY_BLOCK* first(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  static_cast<Blocks*>(iterator->context)->shown = 0;
  return next(iterator);
}

std::uint64_t whole_size(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  return static_cast<const Blocks*>(iterator->context)->bytes.size();
}

}  // namespace

Readable readable_parts(std::size_t size) noexcept {
  if (size <= large) return {{{Part{0, size}, Part{}}}, 1};
  return {{{Part{0, window_head}, Part{size - window_tail, size}}}, 2};
}

int yara_scan(YR_SCAN_CONTEXT* scanner, ByteView bytes, std::span<const Part> searched,
              std::span<const Part> readable) {
  // Without any block it would not evaluate anything.
  static constexpr Part nothing{};
  if (searched.empty()) searched = {&nothing, 1};
  Blocks blocks{.bytes = bytes, .parts = searched, .readable = readable};
  blocks.block.context = &blocks;
  blocks.block.fetch_data = fetch;
  YR_MEMORY_BLOCK_ITERATOR iterator{};
  iterator.context = &blocks;
  iterator.first = first;
  iterator.next = next;
  iterator.file_size = whole_size;
  return yr_scanner_scan_mem_blocks(scanner, &iterator);
}

}  // namespace stoq::engine
