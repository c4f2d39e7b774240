/// Memory in flight: credit that is tried and never awaited inside the graph, buffers that are
/// pooled, and the file that takes what credit cannot pay. graph.md's rule: shared pool, one lane a
/// thread, then spill; nothing waits, so nothing deadlocks. Only sources wait.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <stoq/buffer.hpp>
#include <stoq/bytes.hpp>
#include <stoq/function_ref.hpp>

namespace stoq::engine {

/// What a run may have in flight when nobody says: 25 % of the machine's memory, 256 MiB at least.
[[nodiscard]] std::uint64_t default_memory();

/// Who paid for a block.
enum class Payer : std::uint8_t { nobody, shared, lane, spill };

/// The budget, split into a shared pool (3/4) and one lane a thread (1/4 together). Thread-safe.
class Credit {
 public:
  Credit(std::uint64_t budget, unsigned lanes);

  /// Takes `bytes` from the shared pool if they are there. Never waits.
  [[nodiscard]] bool take_shared(std::uint64_t bytes) noexcept;
  /// Takes from a lane; only the thread that owns the lane may call it.
  [[nodiscard]] bool take_lane(unsigned lane, std::uint64_t bytes) noexcept;
  void give(Payer payer, unsigned lane, std::uint64_t bytes) noexcept;

  [[nodiscard]] std::uint64_t budget() const noexcept { return budget_; }
  [[nodiscard]] std::uint64_t used() const noexcept { return used_.load(); }
  [[nodiscard]] std::uint64_t peak() const noexcept { return peak_.load(); }

 private:
  void note(std::uint64_t bytes) noexcept;

  struct alignas(64) Lane {
    std::atomic<std::uint64_t> used{0};
  };
  std::uint64_t budget_, shared_size_, lane_size_;
  alignas(64) std::atomic<std::uint64_t> shared_used_{0};
  alignas(64) std::atomic<std::uint64_t> used_{0};
  std::atomic<std::uint64_t> peak_{0};
  std::vector<Lane> lanes_;
};

/// Mapped files (large roots, spilled children). Their pages are given back when the process's
/// resident memory nears the budget: the kernel brings them again when they are looked at.
class Mappings {
 public:
  /// `limit` in bytes of resident memory from which on pages are given back.
  explicit Mappings(std::uint64_t limit);
  ~Mappings();
  Mappings(const Mappings&) = delete;
  Mappings& operator=(const Mappings&) = delete;

  void add(void* address, std::size_t size);
  void remove(void* address, std::size_t size);

 private:
  void watch(std::stop_token stop);
  std::uint64_t limit_;
  std::mutex mutex_;
  std::set<std::pair<void*, std::size_t>> ranges_;
  std::jthread watcher_;
};

/// A run of memory with its payer.
struct Block {
  std::byte* data = nullptr;
  std::size_t capacity = 0;
  Payer payer = Payer::nobody;
  unsigned lane = 0;
};

/// Which payer to ask first.
enum class Prefer : std::uint8_t { lane, shared };

/// Makes and recycles blocks. Outlives every Bytes made from it. Thread-safe.
class Memory {
 public:
  /// `lanes`: threads of the graph; lane number `lanes` is for threads outside it.
  Memory(std::uint64_t budget, unsigned lanes);
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// A block of at least `size` bytes; falls back to the spill file. Throws std::bad_alloc,
  /// IoError.
  [[nodiscard]] Block take(std::size_t size, unsigned lane, Prefer prefer);
  /// Makes a block larger (its first `used` bytes are kept) or, when what it has beyond `size` is
  /// worth it, smaller. Large blocks keep their pages: nothing is copied, nothing cleared again. On
  /// an exception, as of take(), the block is as it was.
  void resize(Block& block, std::size_t used, std::size_t size, unsigned lane, Prefer prefer);
  void give(const Block& block) noexcept;
  /// The first `size` bytes of a block as Bytes that give it back.
  [[nodiscard]] Bytes share(const Block& block, std::size_t size);
  /// Maps an open file read-only. Throws IoError.
  [[nodiscard]] Bytes map_file(int descriptor, std::size_t size);

  [[nodiscard]] Credit& credit() noexcept { return credit_; }
  /// The lane number of threads outside the graph.
  [[nodiscard]] unsigned outside() const noexcept {
    return static_cast<unsigned>(pools_.size() - 1);
  }
  [[nodiscard]] std::uint64_t spilled() const noexcept { return spilled_.load(); }

 private:
  [[nodiscard]] Block spill(std::size_t size);
  [[nodiscard]] bool resize_pages(Block& block, std::size_t capacity) noexcept;
  [[nodiscard]] std::byte* allocate(std::size_t size, unsigned lane);
  void recycle(std::byte* data, std::size_t size, unsigned lane) noexcept;

  static constexpr std::size_t classes = 12;  // 4 KiB … 8 MiB: pooled; larger: pages of their own
  static constexpr std::size_t least_pages = std::size_t{10} << 20;
  struct alignas(64) Pool {
    std::mutex mutex;
    std::vector<std::byte*> free[classes];
    std::size_t bytes = 0;
  };
  Credit credit_;
  Mappings mappings_;
  std::vector<Pool> pools_;
  std::size_t pool_limit_;
  std::atomic<std::uint64_t> spilled_{0};
};

/// The Buffer that plugins write into.
class PooledBuffer final : public Buffer {
 public:
  PooledBuffer(Memory& memory, unsigned lane, Prefer prefer, std::size_t most,
               FunctionRef<void(std::uint64_t)> charge) noexcept
      : memory_(memory), lane_(lane), prefer_(prefer), charge_more_(charge) {
    most_ = most;
  }
  ~PooledBuffer() override {
    if (block_.data != nullptr) memory_.give(block_);
  }
  PooledBuffer(const PooledBuffer&) = delete;
  PooledBuffer& operator=(const PooledBuffer&) = delete;

  /// What was written, as Bytes; the buffer is empty afterwards.
  [[nodiscard]] Bytes release();
  /// Whether what was written may outlive this stack frame: paid from the shared pool.
  [[nodiscard]] bool may_travel() const noexcept { return block_.payer == Payer::shared; }

 protected:
  void grow(std::size_t least) override;
  void charge() override {
    charge_more_(size_ - charged_);
    charged_ = size_;
  }

 private:
  Memory& memory_;
  unsigned lane_;
  Prefer prefer_;
  FunctionRef<void(std::uint64_t)> charge_more_;
  Block block_;
};

}  // namespace stoq::engine
