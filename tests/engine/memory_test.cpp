#include "engine/memory.hpp"

#include <atomic>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/spool.hpp"

// Credit is made on the heap: g++ 12 does not align 64-byte types in the stack frames with which
// AddressSanitizer detects uses after return.
namespace {

using namespace stoq;
using namespace stoq::engine;

constexpr std::uint64_t MiB = std::uint64_t{1} << 20;

TEST(Credit, IsSplitIntoSharedAndLanes) {
  const auto owned = std::make_unique<Credit>(1000, 2);
  auto& credit = *owned;
  EXPECT_TRUE(credit.take_shared(750));
  EXPECT_FALSE(credit.take_shared(1));
  EXPECT_TRUE(credit.take_lane(0, 125));
  EXPECT_FALSE(credit.take_lane(0, 1));
  EXPECT_TRUE(credit.take_lane(1, 125));
  EXPECT_FALSE(credit.take_lane(2, 1)) << "the lane of threads outside has nothing";
  EXPECT_EQ(credit.used(), 1000U);
  credit.give(Payer::lane, 0, 125);
  EXPECT_TRUE(credit.take_lane(0, 1));
  EXPECT_FALSE(credit.take_lane(1, 1)) << "a lane's credit is its own";
  credit.give(Payer::lane, 0, 1);
  credit.give(Payer::lane, 1, 125);
  credit.give(Payer::shared, 0, 750);
  credit.give(Payer::spill, 0, 99);
  credit.give(Payer::nobody, 0, 99);
  EXPECT_EQ(credit.used(), 0U);
  EXPECT_EQ(credit.peak(), 1000U);
}

TEST(Credit, HugeClaimsDoNotWrap) {
  const auto owned = std::make_unique<Credit>(1000, 1);
  auto& credit = *owned;
  EXPECT_TRUE(credit.take_shared(10));
  EXPECT_FALSE(credit.take_shared(UINT64_MAX));
  EXPECT_FALSE(credit.take_lane(0, UINT64_MAX));
  EXPECT_EQ(credit.used(), 10U);
}

TEST(Credit, HoldsUnderThreads) {
  const auto owned = std::make_unique<Credit>(1000, 4);
  auto& credit = *owned;
  std::vector<std::jthread> threads;
  for (unsigned lane = 0; lane < 4; ++lane) {
    threads.emplace_back([&credit, lane] {
      for (int i = 0; i < 20'000; ++i) {
        const bool shared = credit.take_shared(200);
        const bool own = credit.take_lane(lane, 50);
        if (shared) credit.give(Payer::shared, lane, 200);
        if (own) credit.give(Payer::lane, lane, 50);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(credit.used(), 0U);
  EXPECT_LE(credit.peak(), 1000U);
  EXPECT_GT(credit.peak(), 0U);
}

TEST(Memory, AsksThePayersInOrderAndThenSpills) {
  const auto owned = std::make_unique<Memory>(16 * 4096, 2);
  auto& memory = *owned;  // shared: 12 blocks; each lane: 2
  std::vector<Block> blocks;
  for (int i = 0; i < 15; ++i) blocks.push_back(memory.take(1, 0, Prefer::lane));
  for (std::size_t i = 0; i < 15; ++i) {
    EXPECT_EQ(blocks[i].payer, i < 2 ? Payer::lane : i < 14 ? Payer::shared : Payer::spill) << i;
    EXPECT_GE(blocks[i].capacity, 1U);
    blocks[i].data[0] = std::byte{1};
  }
  EXPECT_EQ(memory.spilled(), 4096U);
  EXPECT_EQ(memory.credit().used(), 14U * 4096);
  for (const auto& block : blocks) memory.give(block);
  EXPECT_EQ(memory.credit().used(), 0U);
  const auto first = memory.take(1, 0, Prefer::shared);
  EXPECT_EQ(first.payer, Payer::shared);
  memory.give(first);
}

TEST(Memory, SharedBytesGiveBackWhenTheLastIsGone) {
  const auto owned = std::make_unique<Memory>(MiB, 1);
  auto& memory = *owned;
  Bytes part;
  {
    const auto block = memory.take(5000, 0, Prefer::shared);
    block.data[100] = std::byte{42};
    const auto bytes = memory.share(block, 5000);
    part = bytes.slice(100, 10);
  }
  EXPECT_EQ(memory.credit().used(), 8192U);
  EXPECT_EQ(part.view()[0], std::byte{42});
  part = {};
  EXPECT_EQ(memory.credit().used(), 0U);
}

class PooledBufferOver : public testing::TestWithParam<std::uint64_t> {};

/// The same bytes, whoever paid for them, though the buffer moved many times.
TEST_P(PooledBufferOver, KeepsItsBytesWhileItGrows) {
  const auto owned = std::make_unique<Memory>(GetParam(), 1);
  auto& memory = *owned;
  std::uint64_t charged = 0;
  const auto charge = [&](std::uint64_t more) { charged += more; };
  std::string truth;
  {
    PooledBuffer buffer(memory, 0, Prefer::lane, MiB, charge);
    for (int i = 0; truth.size() < 200'000; ++i) {
      const std::string some(static_cast<std::size_t>(i % 977), static_cast<char>('a' + i % 26));
      buffer.append(as_bytes(some));
      truth += some;
    }
    EXPECT_EQ(charged, truth.size());
    const auto bytes = buffer.release();
    EXPECT_EQ(as_chars(bytes.view()), truth);
    EXPECT_EQ(buffer.size(), 0U);
  }
  EXPECT_EQ(memory.credit().used(), 0U);
  EXPECT_LE(memory.credit().peak(), GetParam());
  EXPECT_EQ(memory.spilled() > 0, GetParam() < MiB);
}
INSTANTIATE_TEST_SUITE_P(Budgets, PooledBufferOver, testing::Values(1, 4096, 100'000, 8 * MiB));

/// Beyond the pooled sizes a buffer keeps its pages as it grows, pays only for what is added, and
/// gives back at the end what it asked for in vain; what credit cannot pay goes on in a spill file.
TEST(PooledBuffer, LargeOnesGrowInPlaceAndKeepWhatTheyNeed) {
  struct Case {
    std::uint64_t budget;
    Prefer prefer;
    std::uint64_t most_credit;
    bool spills;
  };
  // Of 4/3 x n MiB, n are shared.
  for (const auto& [budget, prefer, most_credit, spills] :
       {Case{400 * MiB, Prefer::shared, 64 * MiB, false},
        Case{400 * MiB, Prefer::lane, 64 * MiB, false},
        Case{64 * MiB, Prefer::shared, 48 * MiB, true},
        Case{12 * MiB, Prefer::lane, 9 * MiB, true}}) {
    SCOPED_TRACE(budget);
    const auto owned = std::make_unique<Memory>(budget, 1);
    auto& memory = *owned;
    const auto nothing = [](std::uint64_t) {};
    constexpr std::size_t words = 33 * MiB / sizeof(std::uint32_t);
    {
      PooledBuffer buffer(memory, 0, prefer, 100 * MiB, nothing);
      std::vector<std::uint32_t> some(1 << 16);
      for (std::size_t at = 0; at < words; at += some.size()) {
        for (std::size_t i = 0; i < some.size(); ++i) some[i] = static_cast<std::uint32_t>(at + i);
        buffer.append(std::as_bytes(std::span(some)));
      }
      const auto bytes = buffer.release();
      ASSERT_EQ(bytes.size(), words * sizeof(std::uint32_t));
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < words; ++i) {
        std::uint32_t word = 0;
        std::memcpy(&word, bytes.view().data() + i * sizeof(word), sizeof(word));
        wrong += word == i ? 0 : 1;
      }
      EXPECT_EQ(wrong, 0U);
      EXPECT_EQ(memory.credit().used(), spills ? 0 : 34 * MiB);
    }
    EXPECT_EQ(memory.credit().used(), 0U);
    EXPECT_LE(memory.credit().peak(), most_credit);
    EXPECT_EQ(memory.spilled() > 0, spills);
  }
}

TEST(PooledBuffer, StopsAtItsMostAndBeforeTheByteThatIsTooMany) {
  const auto owned = std::make_unique<Memory>(MiB, 1);
  auto& memory = *owned;
  const auto nothing = [](std::uint64_t) {};
  PooledBuffer buffer(memory, 0, Prefer::shared, 10'000, nothing);
  buffer.append(as_bytes(std::string(9'999, 'x')));
  EXPECT_EQ(buffer.remaining(), 1U);
  EXPECT_THROW((void)buffer.prepare(2), LimitReached);
  EXPECT_THROW((void)buffer.prepare(SIZE_MAX), LimitReached);
  buffer.append(as_bytes("y"));
  EXPECT_THROW((void)buffer.prepare(1), LimitReached);
  EXPECT_EQ(buffer.size(), 10'000U);
}

TEST(PooledBuffer, ThrowingChargeLeavesNothingBehind) {
  const auto owned = std::make_unique<Memory>(MiB, 1);
  auto& memory = *owned;
  const auto refuse = [](std::uint64_t) { throw LimitReached{"ratio"}; };
  {
    PooledBuffer buffer(memory, 0, Prefer::shared, 10'000, refuse);
    EXPECT_THROW(buffer.append(as_bytes("x")), LimitReached);
  }
  EXPECT_EQ(memory.credit().used(), 0U);
}

TEST(Memory, BlocksAreReusedAcrossThreads) {
  const auto owned = std::make_unique<Memory>(64 * MiB, 4);
  auto& memory = *owned;
  std::vector<std::jthread> threads;
  std::atomic<int> wrong{0};
  for (unsigned lane = 0; lane < 4; ++lane) {
    threads.emplace_back([&, lane] {
      std::vector<Bytes> kept;
      for (unsigned i = 0; i < 3000; ++i) {
        const auto size = 1 + i * 37 % 20'000;
        const auto block = memory.take(size, lane, i % 2 == 0 ? Prefer::lane : Prefer::shared);
        const auto mark = static_cast<std::byte>(i + lane);
        std::fill_n(block.data, size, mark);
        kept.push_back(memory.share(block, size));
        if (kept.back().view().back() != mark) ++wrong;
        if (kept.size() > 20) kept.erase(kept.begin(), kept.begin() + 10);
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(memory.credit().used(), 0U);
}

TEST(Spool, ReadsBackWhatWasAppendedOnBothSidesOfItsLimit) {
  for (const std::size_t limit : {std::size_t{0}, std::size_t{1000}, std::size_t{1} << 20}) {
    Spool spool{limit};
    std::vector<std::pair<std::uint64_t, std::string>> all;
    for (std::size_t i = 0; i < 500; ++i) {
      std::string entry(i * i % 3001, static_cast<char>('a' + i % 26));
      const auto at = spool.append(entry);
      all.emplace_back(at, std::move(entry));
      if (i == 250)
        all.emplace_back(spool.append(std::string(300'000, 'L')), std::string(300'000, 'L'));
    }
    EXPECT_EQ(spool.in_file(), limit < (1U << 20));
    Spool::Reader reader(spool);
    for (const auto& [at, entry] : all) ASSERT_EQ(reader.read(at), entry);
    for (auto one = all.rbegin(); one != all.rend(); ++one)
      ASSERT_EQ(reader.read(one->first), one->second);
  }
}

TEST(Spool, WhatWasReadOutlivesTheNextTwoReads) {
  for (const std::size_t longest : {std::size_t{100}, std::size_t{3000}, std::size_t{200'000}}) {
    std::mt19937 random(7);
    const auto below = [&](std::size_t most) { return random() % most; };
    Spool spool{1000};
    std::vector<std::pair<std::uint64_t, std::string>> all;
    for (std::size_t i = 0; i < 300; ++i) {
      std::string entry(below(longest), static_cast<char>('a' + i % 26));
      const auto at = spool.append(entry);
      all.emplace_back(at, std::move(entry));
    }
    Spool::Reader reader(spool);
    std::vector<std::pair<std::string_view, const std::string*>> views;
    for (std::size_t i = 0; i < 3000; ++i) {
      // Near the last one, as in a record, or anywhere.
      const auto& [at, entry] = all[i % 3 == 0 ? below(all.size()) : (i / 10) % all.size()];
      views.emplace_back(reader.read(at), &entry);
      if (views.size() > 3) views.erase(views.begin());
      for (const auto& [view, whole] : views) ASSERT_EQ(view, *whole) << longest << ' ' << i;
    }
  }
}

}  // namespace
