#include "engine/yara_scan.hpp"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include <yara.h>

#include <stoq/bytes.hpp>

namespace stoq::engine {
namespace {

constexpr std::size_t window_head = std::size_t{16} << 20;
constexpr std::size_t window_tail = std::size_t{64} << 10;

const std::uint8_t* pointer(ByteView bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

/// Up to two parts of a payload as libyara's blocks.
struct Blocks {
  ByteView bytes;
  bool search = true;
  int calls = 0, next = 0;
  YR_MEMORY_BLOCK block{};
};

const std::uint8_t* fetch(YR_MEMORY_BLOCK* block) {
  const auto& blocks = *static_cast<const Blocks*>(block->context);
  return pointer(blocks.bytes.subspan(block->base));
}

void show(Blocks& blocks, std::size_t base, std::size_t size) {
  blocks.block.base = base;
  blocks.block.size = size;
  blocks.block.context = &blocks;
  blocks.block.fetch_data = fetch;
}

YR_MEMORY_BLOCK* next_end(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  auto& blocks = *static_cast<Blocks*>(iterator->context);
  if (blocks.next > 1) return nullptr;
  if (blocks.next == 0) {
    show(blocks, 0, window_head);
  } else {
    show(blocks, blocks.bytes.size() - window_tail, window_tail);
  }
  ++blocks.next;
  return &blocks.block;
}

YR_MEMORY_BLOCK* first_end(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  static_cast<Blocks*>(iterator->context)->next = 0;
  return next_end(iterator);
}

// The first time it asks in order to search, and is shown nothing.
YR_MEMORY_BLOCK* first_whole(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  auto& blocks = *static_cast<Blocks*>(iterator->context);
  show(blocks, 0, blocks.calls++ == 0 ? 0 : blocks.bytes.size());
  return &blocks.block;
}

YR_MEMORY_BLOCK* no_more(YR_MEMORY_BLOCK_ITERATOR* /*iterator*/) { return nullptr; }

std::uint64_t whole_size(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  return static_cast<const Blocks*>(iterator->context)->bytes.size();
}

int scan_blocks(YR_SCANNER* scanner, ByteView bytes, YR_MEMORY_BLOCK_ITERATOR_FUNC first,
                YR_MEMORY_BLOCK_ITERATOR_FUNC next) {
  Blocks blocks;
  blocks.bytes = bytes;
  YR_MEMORY_BLOCK_ITERATOR iterator{};
  iterator.context = &blocks;
  iterator.first = first;
  iterator.next = next;
  iterator.file_size = whole_size;
  return yr_scanner_scan_mem_blocks(scanner, &iterator);
}

// --- The trial --------------------------------------------------------------------------------

constexpr const char* trial_rules = R"(
rule reads { condition: uint32be(0) == 0x73746f71 and uint8(filesize - 1) == 0x21 and filesize == 12 }
rule searches { strings: $a = "trial" condition: $a }
)";
constexpr std::string_view trial_text = "stoq trial !";

struct Trial {
  bool reads = false, searches = false;
};

int on_trial(YR_SCAN_CONTEXT* /*context*/, int message, void* data, void* user) {
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
  auto& trial = *static_cast<Trial*>(user);
  const bool reads = std::strcmp(static_cast<const YR_RULE*>(data)->identifier, "reads") == 0;
  (reads ? trial.reads : trial.searches) = true;
  return CALLBACK_CONTINUE;
}

}  // namespace

int yara_scan(YR_SCAN_CONTEXT* scanner, ByteView bytes) {
  return yr_scanner_scan_mem(scanner, pointer(bytes), bytes.size());
}

int yara_scan_ends(YR_SCAN_CONTEXT* scanner, ByteView bytes) {
  return scan_blocks(scanner, bytes, first_end, next_end);
}

int yara_evaluate(YR_SCAN_CONTEXT* scanner, ByteView bytes) {
  return scan_blocks(scanner, bytes, first_whole, no_more);
}

bool yara_can_skip_search() {
  YR_COMPILER* raw_compiler = nullptr;
  if (yr_compiler_create(&raw_compiler) != ERROR_SUCCESS) return false;
  const std::unique_ptr<YR_COMPILER, void (*)(YR_COMPILER*)> compiler(raw_compiler,
                                                                      yr_compiler_destroy);
  YR_RULES* raw_rules = nullptr;
  if (yr_compiler_add_string(raw_compiler, trial_rules, nullptr) != 0 ||
      yr_compiler_get_rules(raw_compiler, &raw_rules) != ERROR_SUCCESS) {
    return false;
  }
  const std::unique_ptr<YR_RULES, int (*)(YR_RULES*)> rules(raw_rules, yr_rules_destroy);
  YR_SCANNER* raw_scanner = nullptr;
  if (yr_scanner_create(raw_rules, &raw_scanner) != ERROR_SUCCESS) return false;
  const std::unique_ptr<YR_SCANNER, void (*)(YR_SCANNER*)> scanner(raw_scanner, yr_scanner_destroy);
  Trial trial;
  yr_scanner_set_callback(raw_scanner, on_trial, &trial);
  yr_scanner_set_flags(raw_scanner, SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING);
  const auto failed = yara_evaluate(raw_scanner, as_bytes(trial_text));
  return failed == ERROR_SUCCESS && trial.reads && !trial.searches;
}

}  // namespace stoq::engine
