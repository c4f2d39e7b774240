#include <atomic>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <stoq/per_thread.hpp>

namespace {

using stoq::PerThread;

/// Counts how many of it live, and whether two callers ever hold the same.
struct Scratch {
  explicit Scratch(std::atomic<int>& count) : living(count) { ++living; }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { --living; }
  std::atomic<int>& living;
  std::atomic<int> holders = 0;
  std::uint64_t uses = 0;
};

TEST(PerThread, GivesTheSameObjectToTheSameThread) {
  const PerThread<int> pool([] { return std::make_unique<int>(7); });
  const int* first = nullptr;
  {
    const auto lease = pool.lease();
    first = &*lease;
    *lease = 8;
  }
  const auto again = pool.lease();
  EXPECT_EQ(&*again, first);
  EXPECT_EQ(*again, 8);
}

TEST(PerThread, AnInnerCallGetsAnObjectOfItsOwn) {
  const PerThread<int> pool([] { return std::make_unique<int>(0); });
  const auto outer = pool.lease();
  const auto inner = pool.lease();
  EXPECT_NE(&*outer, &*inner);
}

TEST(PerThread, DiscardedObjectsDoNotComeBack) {
  std::atomic<int> living = 0;
  const PerThread<Scratch> pool([&] { return std::make_unique<Scratch>(living); });
  {
    auto lease = pool.lease();
    lease->uses = 99;
    lease.discard();
    EXPECT_EQ(living, 0);
  }
  EXPECT_EQ(pool.lease()->uses, 0U);
}

TEST(PerThread, AMovedLeaseGivesBackOnce) {
  std::atomic<int> living = 0;
  {
    const PerThread<Scratch> pool([&] { return std::make_unique<Scratch>(living); });
    {
      auto lease = pool.lease();
      const auto moved = std::move(lease);
      EXPECT_EQ(moved->uses, 0U);
    }
    EXPECT_EQ(living, 1);
  }
  EXPECT_EQ(living, 0) << "the pool destroys what it holds";
}

TEST(PerThread, PassesOnWhatMakingThrows) {
  const PerThread<int> pool(
      []() -> std::unique_ptr<int> { throw std::runtime_error("no scanner"); });
  EXPECT_THROW((void)pool.lease(), std::runtime_error);
}

TEST(PerThread, NeverLendsOneObjectTwice) {
  std::atomic<int> living = 0;
  std::atomic<int> shared = 0;
  std::atomic<std::uint64_t> uses = 0;
  {
    const PerThread<Scratch> pool([&] { return std::make_unique<Scratch>(living); });
    // More threads than slots: some share a slot and must not share an object.
    std::vector<std::thread> threads;
    for (int i = 0; i < 100; ++i) {
      threads.emplace_back([&] {
        for (int round = 0; round < 200; ++round) {
          const auto outer = pool.lease();
          const auto inner = pool.lease();
          if (outer->holders.fetch_add(1) != 0 || inner->holders.fetch_add(1) != 0) ++shared;
          ++outer->uses;
          ++uses;
          outer->holders.fetch_sub(1);
          inner->holders.fetch_sub(1);
        }
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_LE(living, 64) << "no more than there are slots";
  }
  EXPECT_EQ(shared, 0);
  EXPECT_EQ(uses, 20'000U);
  EXPECT_EQ(living, 0);
}

}  // namespace
