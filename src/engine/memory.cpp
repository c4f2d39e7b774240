#include "engine/memory.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace stoq::engine {
namespace {

constexpr std::size_t smallest = 4096;

std::size_t class_of(std::size_t size) noexcept {
  const auto rounded = std::bit_ceil(std::max(size, smallest));
  return static_cast<std::size_t>(std::countr_zero(rounded) - std::countr_zero(smallest));
}

constexpr std::size_t page_step = std::size_t{2} << 20;  // large blocks are multiples of it

constexpr std::size_t round_up(std::size_t size, std::size_t unit) noexcept {
  return (size + unit - 1) / unit * unit;
}

/// Fresh pages. Small ones: cleared just before they are written they stand in the cache; huge ones
/// took twice as long in all.
std::byte* map_pages(std::size_t size) {
  void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (address == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(address);
}

std::uint64_t resident_bytes() noexcept {
  unsigned long total = 0;
  unsigned long resident = 0;
  if (auto* file = std::fopen("/proc/self/statm", "re"); file != nullptr) {
    const int fields = std::fscanf(file, "%lu %lu", &total, &resident);
    (void)std::fclose(file);
    if (fields != 2) return 0;
  }
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::string reason() { return std::strerror(errno); }

const char* spill_folder() {
  const char* chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
}

}  // namespace

std::uint64_t default_memory() {
  const auto pages = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PHYS_PAGES)));
  const auto page = static_cast<std::uint64_t>(std::max(0L, ::sysconf(_SC_PAGESIZE)));
  return std::max(pages * page / 4, std::uint64_t{256} << 20);
}

// --- Credit -----------------------------------------------------------------------------------

Credit::Credit(std::uint64_t budget, unsigned lanes)
    : budget_(budget),
      shared_size_(budget - budget / 4),
      lane_size_(budget / 4 / std::max(lanes, 1U)),
      lanes_(lanes + 1) {}

void Credit::note(std::uint64_t bytes) noexcept {
  const auto now = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  auto peak = peak_.load(std::memory_order_relaxed);
  while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

bool Credit::take_shared(std::uint64_t bytes) noexcept {
  auto used = shared_used_.load(std::memory_order_relaxed);
  do {
    if (bytes > shared_size_ - used) return false;
  } while (!shared_used_.compare_exchange_weak(used, used + bytes, std::memory_order_acquire,
                                               std::memory_order_relaxed));
  note(bytes);
  return true;
}

bool Credit::take_lane(unsigned lane, std::uint64_t bytes) noexcept {
  // The last lane stands for every thread outside the graph, so it is nobody's and holds nothing.
  if (lane + 1 >= lanes_.size()) return false;
  auto& used = lanes_[lane].used;
  if (bytes > lane_size_ - used.load(std::memory_order_acquire)) return false;
  used.fetch_add(bytes, std::memory_order_relaxed);
  note(bytes);
  return true;
}

void Credit::give(Payer payer, unsigned lane, std::uint64_t bytes) noexcept {
  if (payer != Payer::shared && payer != Payer::lane) return;
  // The sum first: whoever takes these bytes meanwhile would be counted beside them.
  used_.fetch_sub(bytes, std::memory_order_relaxed);
  auto& of_payer = payer == Payer::shared ? shared_used_ : lanes_[lane].used;
  of_payer.fetch_sub(bytes, std::memory_order_release);
}

// --- Mappings ---------------------------------------------------------------------------------

Mappings::Mappings(std::uint64_t limit)
    : limit_(limit), watcher_([this](const std::stop_token& stop) { watch(stop); }) {}

Mappings::~Mappings() = default;

void Mappings::add(void* address, std::size_t size) {
  const std::lock_guard lock(mutex_);
  ranges_.emplace(address, size);
}

void Mappings::remove(void* address, std::size_t size) {
  // munmap under the lock: the watcher must never touch a range that is somebody else's by now.
  const std::lock_guard lock(mutex_);
  ranges_.erase({address, size});
  ::munmap(address, size);
}

void Mappings::watch(std::stop_token stop) {
  std::mutex sleeping;
  std::condition_variable_any alarm;
  std::unique_lock sleep(sleeping);
  while (!stop.stop_requested()) {
    (void)alarm.wait_for(sleep, stop, std::chrono::milliseconds(10), [] { return false; });
    const std::lock_guard lock(mutex_);
    if (ranges_.empty() || resident_bytes() < limit_) continue;
    for (const auto& [address, size] : ranges_) ::madvise(address, size, MADV_DONTNEED);
  }
}

// --- Memory -----------------------------------------------------------------------------------

Memory::Memory(std::uint64_t budget, unsigned lanes)
    : credit_(budget, lanes),
      mappings_(budget / 2),
      pools_(lanes + 1),
      pool_limit_(budget / 16 / (lanes + 1)) {}

Memory::~Memory() {
  for (auto& pool : pools_) {
    for (auto& blocks : pool.free) {
      for (auto* block : blocks) std::free(block);
    }
  }
}

std::byte* Memory::allocate(std::size_t size, unsigned lane) {
  if (const auto index = class_of(size); index < classes) {
    auto& pool = pools_[lane];
    const std::lock_guard lock(pool.mutex);
    auto& blocks = pool.free[index];
    if (!blocks.empty()) {
      auto* data = blocks.back();
      blocks.pop_back();
      pool.bytes -= smallest << index;
      return data;
    }
  }
  if (class_of(size) >= classes) return map_pages(size);
  auto* data = static_cast<std::byte*>(std::malloc(size));
  if (data == nullptr) throw std::bad_alloc();
  return data;
}

void Memory::recycle(std::byte* data, std::size_t size, unsigned lane) noexcept {
  if (const auto index = class_of(size); index < classes) {
    auto& pool = pools_[lane];
    const std::lock_guard lock(pool.mutex);
    if (pool.bytes + size <= pool_limit_) {
      try {
        pool.free[index].push_back(data);
        pool.bytes += size;
        return;
      } catch (const std::bad_alloc&) {
        (void)index;  // too short of memory even for the list: the block itself is freed below
      }
    }
    std::free(data);
  } else {
    ::munmap(data, size);
  }
}

Block Memory::take(std::size_t size, unsigned lane, Prefer prefer) {
  // Whole size classes, so that a recycled block fits whoever comes next.
  const auto index = class_of(size);
  const auto capacity = index < classes ? smallest << index : round_up(size, page_step);
  Block block{nullptr, capacity, Payer::nobody, lane};
  if (prefer == Prefer::shared && credit_.take_shared(capacity)) {
    block.payer = Payer::shared;
  } else if (credit_.take_lane(lane, capacity)) {
    block.payer = Payer::lane;
  } else if (prefer == Prefer::lane && credit_.take_shared(capacity)) {
    block.payer = Payer::shared;
  } else {
    return spill(capacity);
  }
  try {
    block.data = allocate(capacity, lane);
  } catch (...) {
    credit_.give(block.payer, block.lane, capacity);
    throw;
  }
  return block;
}

bool Memory::resize_pages(Block& block, std::size_t capacity) noexcept {
  const bool more = capacity > block.capacity;
  const auto change = more ? capacity - block.capacity : block.capacity - capacity;
  if (more) {
    const bool paid = block.payer == Payer::shared ? credit_.take_shared(change)
                                                   : credit_.take_lane(block.lane, change);
    if (!paid) return false;
  }
  void* address = ::mremap(block.data, block.capacity, capacity, MREMAP_MAYMOVE);
  const bool done = address != MAP_FAILED;
  if (done) {
    block.data = static_cast<std::byte*>(address);
    block.capacity = capacity;
  }
  if (more != done) credit_.give(block.payer, block.lane, change);
  return done;
}

void Memory::resize(Block& block, std::size_t used, std::size_t size, unsigned lane,
                    Prefer prefer) {
  const bool pages = block.payer != Payer::spill && class_of(block.capacity) >= classes;
  const auto capacity = std::max(round_up(size, page_step), least_pages);
  if (pages && (capacity == block.capacity || resize_pages(block, capacity))) return;
  if (size <= block.capacity) return;
  const auto larger = take(size, lane, prefer);
  if (used > 0) std::memcpy(larger.data, block.data, used);
  give(block);
  block = larger;
}

Block Memory::spill(std::size_t size) {
  const int file = ::open(spill_folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) {
    throw IoError(std::string("no room for a spill file in ") + spill_folder() + ": " + reason() +
                  " (set TMPDIR)");
  }
  // Allocated, not sparse: a full disk is an error here and not a signal while writing.
  const int failed = ::posix_fallocate(file, 0, static_cast<off_t>(size));
  void* address =
      failed != 0 ? MAP_FAILED : ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (address == MAP_FAILED) {
    throw IoError(std::string("cannot spill to ") + spill_folder() + ": " +
                  (failed != 0 ? std::strerror(failed) : reason()));
  }
  mappings_.add(address, size);
  spilled_.fetch_add(size, std::memory_order_relaxed);
  return {static_cast<std::byte*>(address), size, Payer::spill, 0};
}

void Memory::give(const Block& block) noexcept {
  if (block.payer == Payer::spill) {
    mappings_.remove(block.data, block.capacity);
  } else {
    recycle(block.data, block.capacity, block.lane);
    credit_.give(block.payer, block.lane, block.capacity);
  }
}

Bytes Memory::share(const Block& block, std::size_t size) {
  std::shared_ptr<const void> owner(block.data,
                                    [this, block](const void*) noexcept { give(block); });
  return {std::move(owner), ByteView(block.data, size)};
}

Bytes Memory::map_file(int descriptor, std::size_t size) {
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (address == MAP_FAILED) throw IoError("cannot be mapped: " + reason());
  ::madvise(address, size, MADV_SEQUENTIAL);
  mappings_.add(address, size);
  std::shared_ptr<const void> owner(address, [this, size](const void* mapped) {
    mappings_.remove(const_cast<void*>(mapped), size);
  });
  return {std::move(owner), ByteView(static_cast<const std::byte*>(address), size)};
}

// --- PooledBuffer -----------------------------------------------------------------------------

void PooledBuffer::grow(std::size_t least) {
  const auto wanted = std::max(least, std::min(most_, 2 * capacity_));
  if (block_.data == nullptr) {
    block_ = memory_.take(wanted, lane_, prefer_);
  } else {
    memory_.resize(block_, size_, wanted, lane_, prefer_);
  }
  data_ = block_.data;
  capacity_ = block_.capacity;
}

Bytes PooledBuffer::release() {
  if (block_.data == nullptr) return {};
  memory_.resize(block_, size_, size_, lane_, prefer_);  // what it does not need is for others
  auto bytes = memory_.share(block_, size_);
  block_ = {};
  data_ = nullptr;
  size_ = capacity_ = charged_ = 0;
  return bytes;
}

}  // namespace stoq::engine
