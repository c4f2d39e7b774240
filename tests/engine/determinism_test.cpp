/// The same bytes whatever the schedule, the memory, and how eager the graph is.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "fakes.hpp"

namespace {

using namespace stoq;
using fakes::Ran;
using fakes::World;

constexpr std::uint64_t MiB = std::uint64_t{1} << 20;

struct Setting {
  unsigned threads = 1;
  std::uint64_t memory = 64 * MiB;
  unsigned hungry = 1, window = 64;
  bool delays = false;
  std::size_t cache = 0;
};

std::vector<Setting> settings() {
  std::vector<Setting> all;
  for (const unsigned threads : {1U, 2U, 3U, 8U}) {
    for (const std::uint64_t memory : {std::uint64_t{1}, std::uint64_t{300'000}, MiB, 1024 * MiB}) {
      for (const unsigned hungry : {1U, 8U, 1'000'000U}) {
        for (const unsigned window : {1U, 64U})
          all.push_back({threads, memory, hungry, window, false});
      }
    }
  }
  for (const std::size_t cache : {std::size_t{0}, std::size_t{2000}, std::size_t{64 * MiB}}) {
    for (const unsigned hungry : {1U, 1'000'000U}) {
      all.push_back({3, 64 * MiB, hungry, 8, true, cache});
      if (cache > 0) all.push_back({1, 1024 * MiB, hungry, 1, false, cache});
    }
  }
  return all;
}

Ran run_with(World& world, const Setting& setting, const fakes::Members& corpus) {
  world.threads = setting.threads;
  world.memory = setting.memory;
  world.tuning.hungry_limit = setting.hungry;
  world.tuning.window = setting.window;
  world.delays = setting.delays;
  world.tuning.cache_bytes = setting.cache;
  world.tuning.cache_from = {};
  return world.run(corpus);
}

/// Runs every setting and compares with one thread that has memory enough.
void expect_same_everywhere(World& world, const fakes::Members& corpus) {
  const auto truth = run_with(world, {}, corpus);
  fakes::expect_conserved(truth, corpus.size());
  for (const auto& setting : settings()) {
    const auto ran = run_with(world, setting, corpus);
    SCOPED_TRACE(testing::Message()
                 << setting.threads << " threads, " << setting.memory << " bytes, hungry "
                 << setting.hungry << ", window " << setting.window
                 << (setting.delays ? ", delays" : "") << ", cache " << setting.cache);
    ASSERT_EQ(ran.lines, truth.lines);
    EXPECT_EQ(ran.count, truth.count);
    EXPECT_LE(ran.peak, setting.memory);
    EXPECT_EQ(ran.used, 0U);
    EXPECT_EQ(ran.totals.statuses, truth.totals.statuses);
  }
}

class SameBytes : public testing::TestWithParam<std::uint32_t> {};

TEST_P(SameBytes, RandomTrees) {
  World world;
  world.add_standard();
  const auto corpus = fakes::random_corpus(GetParam(), 12);
  expect_same_everywhere(world, corpus);
}

TEST_P(SameBytes, WorkersThatReadNames) {
  World world;
  world.add_standard();
  world.worker(
      "namer",
      [](const Payload& payload, const Request&) {
        return Value{{"name", payload.name}, {"depth", payload.depth}};
      },
      true);
  expect_same_everywhere(world, fakes::random_corpus(GetParam() + 100, 12));
}

TEST_P(SameBytes, DepthRunsOut) {
  World world;
  world.add_standard();
  world.config.limits.max_depth = 2;
  expect_same_everywhere(world, fakes::random_corpus(GetParam() + 200, 12));
}

TEST_P(SameBytes, RootLimitsRunOut) {
  World world;
  world.add_standard();
  world.config.limits.max_root_payloads = 20;
  expect_same_everywhere(world, fakes::random_corpus(GetParam() + 300, 12));
  world.config.limits.max_root_payloads = 1'000'000;
  world.config.limits.max_root_bytes = 5000;
  expect_same_everywhere(world, fakes::random_corpus(GetParam() + 400, 12));
}

TEST_P(SameBytes, PayloadLimitsRunOut) {
  World world;
  world.add_standard();
  world.config.limits.max_children = 3;
  world.config.limits.max_child_bytes = 2000;
  world.config.limits.max_ratio = 1;
  world.config.limits.max_ratio_floor = 500;
  expect_same_everywhere(world, fakes::random_corpus(GetParam() + 500, 12));
}

INSTANTIATE_TEST_SUITE_P(Seeds, SameBytes, testing::Values(1U, 2U));

TEST(InOrder, HeavyFirstRootWithWindowOne) {
  World world;
  world.add_standard();
  fakes::Members many;
  for (int i = 0; i < 3000; ++i)
    many.emplace_back("m" + std::to_string(i), "leaf " + std::to_string(i));
  fakes::Members corpus{{"heavy", fakes::box("BOXP", many)}};
  for (int i = 0; i < 200; ++i) corpus.emplace_back("light" + std::to_string(i), std::to_string(i));
  world.threads = 3;
  world.tuning.batch_roots = 1;
  for (const unsigned window : {1U, 64U}) {
    world.tuning.window = window;
    const auto ran = world.run(corpus);
    fakes::expect_conserved(ran, corpus.size());
    std::size_t next = 0;
    for (const auto& record : ran.records) {
      if (record["stoq"]["depth"] != 0) continue;
      ASSERT_LT(next, corpus.size());
      EXPECT_EQ(record["stoq"]["path"], corpus[next].first);
      EXPECT_EQ(record["stoq"]["ordinal"][0], next);
      ++next;
    }
  }
}

TEST(InAnyOrder, SameLinesOtherOrder) {
  World world;
  world.add_standard();
  const auto corpus = fakes::random_corpus(7, 40);
  const auto sorted = [](std::string_view lines) {
    std::vector<std::string> all;
    while (!lines.empty()) {
      const auto end = lines.find('\n') + 1;
      all.emplace_back(lines.substr(0, end));
      lines.remove_prefix(end);
    }
    std::sort(all.begin(), all.end());
    return all;
  };
  world.threads = 1;
  const auto ordered = world.run(corpus);
  world.config.ordered = false;
  world.threads = 4;
  const auto one = sorted(ordered.lines);
  const auto other = sorted(world.run(corpus).lines);
  std::vector<std::string> only;
  std::set_symmetric_difference(one.begin(), one.end(), other.begin(), other.end(),
                                std::back_inserter(only));
  EXPECT_EQ(only, std::vector<std::string>{});
}

// Whichever thread opens the outer box, the inner one is for the other to take, and the leaves of
// that for the first: each must take what the other spawned.
TEST(Threads, TakeFromEachOther) {
  std::atomic<bool> inner_began{false}, leaf_elsewhere{false};
  std::atomic<std::thread::id> inner_thread;
  const auto wait_for = [](const std::atomic<bool>& flag) {
    const auto latest = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!flag && std::chrono::steady_clock::now() < latest) std::this_thread::yield();
  };
  World world;
  world.expander(stoq::Category::extractor, "outer", "OUTR",
                 [&](const stoq::Payload& payload, const stoq::Request&, stoq::Children& children) {
                   children.emit(payload.bytes.slice(4, payload.bytes.size() - 4), {.name = "i"});
                   wait_for(inner_began);
                 });
  constexpr std::size_t leaves = 64, leaf_size = 4096;
  world.expander(stoq::Category::extractor, "inner", "INNR",
                 [&](const stoq::Payload& payload, const stoq::Request&, stoq::Children& children) {
                   inner_thread = std::this_thread::get_id();
                   inner_began = true;
                   for (std::size_t i = 0; i < leaves; ++i) {
                     children.emit(payload.bytes.slice(4 + i * leaf_size, leaf_size),
                                   {.name = "l"});
                   }
                   wait_for(leaf_elsewhere);
                 });
  world.worker("note", [&](const stoq::Payload& payload, const stoq::Request&) {
    if (payload.depth == 2 && std::this_thread::get_id() != inner_thread.load()) {
      leaf_elsewhere = true;
    }
    return stoq::Value();
  });
  std::string bytes = "OUTRINNR";
  for (std::size_t i = 0; i < leaves; ++i)
    bytes += std::string(leaf_size, static_cast<char>(1 + i));
  world.threads = 2;
  const auto ran = world.run({{"box", bytes}});
  EXPECT_TRUE(inner_began);
  EXPECT_TRUE(leaf_elsewhere);
  EXPECT_EQ(ran.records.size(), 2 + leaves);
}

TEST(Edges, SentAndInlineAddUpToPayloads) {
  World world;
  world.add_standard();
  // No two payloads alike: a root with duplicates may be done twice, and is counted twice then.
  fakes::Members corpus;
  for (int root = 0; root < 10; ++root) {
    fakes::Members boxes;
    for (const auto* magic : {"BOXE", "BOXP", "BOXR"}) {
      fakes::Members leaves;
      for (int i = 0; i < 100; ++i) leaves.emplace_back("", magic + std::to_string(i) + ' ');
      for (auto& [name, bytes] : leaves) bytes[0] = 'b';
      boxes.emplace_back(magic, fakes::box(magic, leaves));
    }
    corpus.emplace_back(std::to_string(root), fakes::box("BOXR", boxes));
  }
  for (const unsigned threads : {1U, 2U, 8U}) {
    for (const unsigned hungry : {1U, 1'000'000U}) {
      world.threads = threads;
      world.tuning.hungry_limit = hungry;
      const auto ran = world.run(corpus);
      ASSERT_EQ(ran.records.size(), 3040U);
      EXPECT_EQ(ran.into_dispatch, ran.records.size()) << threads << " threads, hungry " << hungry;
    }
  }
}

/// Results too many for memory go through a file: the same lines.
TEST(Spool, GiantRootIsTheSumOfItsParts) {
  World world;
  world.add_standard();
  fakes::Members many;
  for (int i = 0; i < 5000; ++i)
    many.emplace_back("m" + std::to_string(i), "leaf " + std::to_string(i));
  const auto one = [&] { return fakes::box("BOXE", many); };
  world.threads = 1;
  const auto truth = world.run({{"r", one()}});
  fakes::expect_conserved(truth, 1);
  ASSERT_EQ(truth.records.size(), 5001U);
  for (int i = 0; i < 5000; ++i) {
    const auto& record = truth.records[static_cast<std::size_t>(i) + 1];
    ASSERT_EQ(record["stoq"]["path"], "r!m" + std::to_string(i));
    ASSERT_EQ(record["file"]["size"], 5 + std::to_string(i).size());
  }
  world.threads = 4;
  EXPECT_EQ(world.run({{"r", one()}}).lines, truth.lines);
}

}  // namespace
