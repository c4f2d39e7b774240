/// What goes wrong stays where it went wrong.
#include <atomic>
#include <chrono>
#include <map>
#include <new>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "fakes.hpp"

namespace {

using namespace stoq;
using fakes::World;

struct Throw {
  const char* name;
  const char* status;
  void (*now)();
};

const Throw throws[] = {
    {"malformed", "corrupt", [] { throw MalformedInput("broken on purpose"); }},
    {"encrypted", "encrypted", [] { throw Encrypted("locked on purpose"); }},
    {"unsupported", "unsupported", [] { throw Unsupported("unknown on purpose"); }},
    {"io", "io_error", [] { throw IoError("unreadable on purpose"); }},
    {"runtime", "crash", [] { throw std::runtime_error("wrong on purpose"); }},
    {"memory", "out_of_memory", [] { throw std::bad_alloc(); }},
    {"number", "crash", [] { throw 42; }},  // NOLINT: what a plugin must not, and may
    {"limit", "partial", [] { throw LimitReached{"own"}; }},
};

class ThrowIn : public testing::TestWithParam<Throw> {
 protected:
  /// A box of a good leaf, the payload that fails, and another good leaf; and a root of the same.
  [[nodiscard]] static fakes::Members corpus() {
    return {{"first", "good"},
            {"r", fakes::box("BOXE", {{"a", "good a"}, {"bad", "FAIL here"}, {"z", "good z"}})},
            {"last", "good"}};
  }
  void check(World& world, std::size_t records) const {
    for (const unsigned threads : {1U, 3U}) {
      world.threads = threads;
      const auto ran = world.run(corpus());
      fakes::expect_conserved(ran, 3);
      EXPECT_EQ(ran.records.size(), records);
      EXPECT_EQ(ran.status("r!bad"), GetParam().status);
      ASSERT_FALSE(ran.at("r!bad").is_null());
      EXPECT_TRUE(ran.at("r!bad")["stoq"].contains("errors"));
      for (const auto* good : {"first", "r", "r!a", "r!z", "last"})
        EXPECT_EQ(ran.status(good), "ok");
    }
  }
};

TEST_P(ThrowIn, EveryKindOfExpander) {
  for (const auto category : {Category::decoder, Category::extractor, Category::carver}) {
    SCOPED_TRACE(to_string(category));
    World world;
    world.add_standard();
    world.expander(
        category, "fails", "FAIL", [](const Payload&, const Request&, Children& children) {
          children.emit(Bytes::own(std::string("brought out before")), {.name = "before"});
          GetParam().now();
        });
    check(world, 7);
  }
}

TEST_P(ThrowIn, Worker) {
  World world;
  world.add_standard();
  world.worker("fails", [](const Payload& payload, const Request&) -> Value {
    if (as_chars(payload.view()) == "FAIL here") GetParam().now();
    return {{"fine", true}};
  });
  check(world, 6);
}

/// In a fill, the SDK's own errors are the child's; others are a fault of the plugin's call.
TEST_P(ThrowIn, Fill) {
  World world;
  world.add_standard();
  world.expander(Category::extractor, "fails", "FAIL",
                 [](const Payload&, const Request&, Children& children) {
                   children.produce({.name = "child"}, 0, [](Buffer& buffer) {
                     buffer.append(as_bytes("came before"));
                     GetParam().now();
                   });
                   children.emit(Bytes::own(std::string("after")), {.name = "after"});
                 });
  const auto ran = world.run(corpus());
  fakes::expect_conserved(ran, 3);
  const std::string name = GetParam().name;
  if (name == "io" || name == "runtime" || name == "number") {
    EXPECT_EQ(ran.status("r!bad"), GetParam().status);
    EXPECT_EQ(ran.records.size(), 6U);
  } else if (name == "limit") {
    EXPECT_EQ(ran.status("r!bad"), "partial");
    EXPECT_EQ(ran.at("r!bad")["stoq"]["children"]["dropped"][0]["limit"], "own");
  } else {
    EXPECT_EQ(ran.status("r!bad!child"), GetParam().status);
    EXPECT_EQ(ran.at("r!bad!child")["file"]["size"], 11);
    EXPECT_EQ(ran.status("r!bad!after"), "ok");
    EXPECT_EQ(ran.status("r!bad"), "ok");
  }
  for (const auto* good : {"first", "r", "r!a", "r!z", "last"}) EXPECT_EQ(ran.status(good), "ok");
}

TEST_P(ThrowIn, MemberOfEach) {
  World world;
  world.add_standard();
  world.expander(Category::extractor, "fails", "FAIL",
                 [](const Payload&, const Request&, Children& children) {
                   children.each(5, [](std::size_t index, Children& member) {
                     if (index == 2) GetParam().now();
                     const auto text = std::to_string(index);
                     member.emit(Bytes::own("member " + text), {.name = text});
                   });
                 });
  for (const unsigned threads : {1U, 4U}) {
    world.threads = threads;
    world.tuning.hungry_limit = 1'000'000;
    const auto ran = world.run(corpus());
    fakes::expect_conserved(ran, 3);
    for (const auto* good : {"first", "r", "r!a", "r!z", "last", "r!bad!0", "r!bad!1"}) {
      EXPECT_EQ(ran.status(good), "ok");
    }
    EXPECT_EQ(ran.at("r!bad")["stoq"]["children"]["declared"], 5);
    if (std::string(GetParam().name) == "limit") continue;  // ends the rest, which is counted
    EXPECT_EQ(ran.status("r!bad!#2"), GetParam().status);
    EXPECT_EQ(ran.status("r!bad!3"), "ok");
    EXPECT_EQ(ran.status("r!bad!4"), "ok");
    EXPECT_EQ(ran.status("r!bad"), "ok");
  }
}

INSTANTIATE_TEST_SUITE_P(All, ThrowIn, testing::ValuesIn(throws),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Failure, WorstStatusWins) {
  World world;
  world.expander(Category::extractor, "locked", "FAIL",
                 [](const Payload&, const Request&, Children&) { throw Encrypted("locked"); });
  world.expander(Category::decoder, "broken", "FAIL",
                 [](const Payload&, const Request&, Children&) { throw MalformedInput("broken"); });
  world.expander(Category::carver, "unknown", "FAIL",
                 [](const Payload&, const Request&, Children&) { throw Unsupported("unknown"); });
  const auto ran = world.run({{"r", "FAIL"}});
  EXPECT_EQ(ran.status("r"), "corrupt");
  const auto& errors = ran.at("r")["stoq"]["errors"];
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0]["plugin"], "extractor:locked");
  EXPECT_EQ(errors[0]["kind"], "encrypted");
  EXPECT_EQ(errors[0]["message"], "locked");
  EXPECT_EQ(errors[1]["kind"], "corrupt");
  EXPECT_EQ(errors[2]["kind"], "unsupported");
}

TEST(Failure, SaveThatFailsEndsTheRunAtOnceAndIsNotTriedAgain) {
  for (const bool with_error : {true, false}) {
    World world;
    world.add_standard();
    world.tuning.batch_roots = 1;
    world.tuning.window = 1;
    int calls = 0;
    world.on_save = [&](std::string_view) {
      if (++calls < 3) return;
      if (with_error) throw IoError("the disk is full");
      throw std::runtime_error("the disk is full");
    };
    const auto ran = world.run(fakes::random_corpus(3, 200));
    EXPECT_EQ(ran.problem, "the disk is full");
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(ran.used, 0U);
  }
}

TEST(Failure, SourceThatFailsEndsTheRunWithItsReason) {
  World world;
  world.add_standard();
  const auto ran = world.run_source([](Intake& intake) {
    for (int i = 0; i < 10; ++i) {
      Root root;
      root.path = std::to_string(i);
      root.bytes = Bytes::own(std::string("leaf"));
      intake.put(std::move(root));
    }
    throw IoError("the corpus is gone");
  });
  EXPECT_EQ(ran.problem, "the corpus is gone");
  EXPECT_EQ(ran.records.size(), 10U) << "what came before is scanned";
}

TEST(Failure, ProducedRootsSayWhatTheirFillThrew) {
  World world;
  world.add_standard();
  const auto ran = world.run_source([](Intake& intake) {
    for (const auto& one : throws) {
      if (std::string(one.name) == "number") continue;
      Root root;
      root.path = one.name;
      intake.produce(std::move(root), 100, [&](Buffer& buffer) {
        buffer.append(as_bytes("came before"));
        one.now();
      });
    }
  });
  fakes::expect_conserved(ran, std::size(throws) - 1);
  for (const auto& one : throws) {
    if (std::string(one.name) == "number") continue;
    EXPECT_EQ(ran.status(one.name), one.status);
    EXPECT_EQ(ran.at(one.name)["file"]["size"], 11) << "what came is scanned";
  }
}

/// A plugin that calls itself within a call, and is called again by its own children.
TEST(Failure, PluginsAreReentrant) {
  World world;
  const auto nest = [](const auto& self, const Payload& payload, const Request& request,
                       Children& children, int rounds) -> void {
    if (rounds > 0) self(self, payload, request, children, rounds - 1);
    if (payload.view().size() <= 5) return;
    children.emit(payload.bytes.slice(0, payload.bytes.size() - 1),
                  {.name = std::to_string(rounds)});
  };
  world.expander(Category::extractor, "nest", "NEST",
                 [nest](const Payload& payload, const Request& request, Children& children) {
                   nest(nest, payload, request, children, 2);
                 });
  world.config.limits.max_depth = 32;
  std::string truth;
  for (const unsigned threads : {1U, 2U, 8U}) {
    world.threads = threads;
    const auto ran = world.run({{"r", "NEST12345678"}});
    fakes::expect_conserved(ran, 1);
    // Eight shorter ones, each three times, and opened once.
    EXPECT_EQ(ran.records.size(), 1U + 7U * 3U);
    EXPECT_EQ(ran.count_status("duplicate"), 7U * 2U);
    if (truth.empty()) truth = ran.lines;
    EXPECT_EQ(ran.lines, truth);
  }
}

TEST(Interrupt, AtAnyMomentLeavesValidLines) {
  const auto corpus = fakes::random_corpus(5, 60);
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    World world;
    world.add_standard();
    std::atomic<int> left{static_cast<int>(random() % 900)};
    engine::Graph* graph = nullptr;
    world.before = [&](engine::Graph& made) { graph = &made; };
    world.worker("trigger", [&](const Payload&, const Request&) -> Value {
      if (--left == 0) graph->interrupt();
      return {};
    });
    world.threads = 1 + static_cast<unsigned>(round) % 4;
    world.tuning.window = round % 2 == 0 ? 1 : 64;
    const auto ran = world.run(corpus);  // parses every line
    EXPECT_EQ(ran.problem, "");
    EXPECT_EQ(ran.used, 0U);
    EXPECT_EQ(ran.count, ran.records.size());
    EXPECT_EQ(ran.totals.payloads, ran.records.size());
    std::map<std::string, std::uint64_t> children;
    for (const auto& record : ran.records) {
      if (record["stoq"].contains("parent")) ++children[record["stoq"]["parent"]];
    }
    for (const auto& record : ran.records) {
      const auto& stoq = record["stoq"];
      // A child may be missing only below a root that says so.
      if (stoq["depth"] != 0 || stoq["status"] != "ok") continue;
      if (!stoq.contains("children")) continue;
      EXPECT_EQ(stoq["children"]["emitted"], children[stoq["id"]]) << record;
    }
  }
}

TEST(Interrupt, PluginThatAsksIsToldAndTheRootSaysSo) {
  World world;
  engine::Graph* graph = nullptr;
  world.before = [&](engine::Graph& made) { graph = &made; };
  world.expander(Category::extractor, "endless", "LOOP",
                 [&](const Payload&, const Request& request, Children& children) {
                   graph->interrupt();
                   while (!request.stop_requested()) std::this_thread::yield();
                   children.emit(Bytes::own(std::string("late")), {});
                 });
  const auto ran = world.run({{"r", "LOOP"}});
  ASSERT_EQ(ran.records.size(), 1U);
  EXPECT_EQ(ran.status("r"), "partial");
  EXPECT_EQ(ran.records[0]["stoq"]["errors"][0]["kind"], "interrupted");
}

TEST(Interrupt, BeforeItBegins) {
  World world;
  world.add_standard();
  world.before = [](engine::Graph& graph) { graph.interrupt(); };
  const auto ran = world.run({{"a", "leaf"}, {"b", "leaf"}});
  EXPECT_TRUE(ran.records.empty()) << "no root was taken";
}

void short_sleep() { std::this_thread::sleep_for(std::chrono::milliseconds(1)); }

TEST(Timeout, PluginThatPollsIsStoppedAndTheRunGoesOn) {
  World world;
  world.add_standard();
  world.config.limits.plugin_timeout = 1;  // what is not slow needs microseconds
  world.expander(Category::extractor, "slow", "SLOW",
                 [](const Payload&, const Request& request, Children& children) {
                   children.emit(Bytes::own(std::string("early")), {.name = "early"});
                   while (!request.stop_requested()) short_sleep();
                 });
  world.expander(Category::extractor, "slowemit", "SEMI",
                 [](const Payload&, const Request&, Children& children) {
                   for (;;) {
                     children.emit(Bytes::own(std::string("again")), {.name = "again"});
                     short_sleep();
                   }
                 });
  const auto ran = world.run({{"a", "SLOW"}, {"b", "SEMI"}, {"c", "leaf"}});
  EXPECT_EQ(ran.status("a"), "timeout");
  EXPECT_EQ(ran.at("a")["stoq"]["errors"][0]["kind"], "plugin_timeout");
  EXPECT_EQ(ran.status("a!early"), "ok");
  EXPECT_EQ(ran.status("b"), "timeout");
  EXPECT_EQ(ran.status("c"), "ok");
  fakes::expect_conserved(ran, 3);
}

TEST(Timeout, PluginThatIgnoresItIsCounted) {
  World world;
  world.config.limits.plugin_timeout = 0.01;
  world.worker("deaf", [](const Payload&, const Request&) -> Value {
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    return {{"done", true}};
  });
  const auto ran = world.run({{"a", "leaf"}});
  EXPECT_EQ(ran.status("a"), "timeout");
  EXPECT_EQ(ran.at("a")["stoq"]["workers"]["deaf"]["done"], true) << "what it found stands";
  EXPECT_EQ(ran.counters[0].overran, 1U);
}

TEST(Timeout, RootsEndToo) {
  World world;
  world.config.limits.root_timeout = 0.02;
  world.expander(Category::extractor, "endless", "MORE",
                 [](const Payload&, const Request&, Children& children) {
                   for (int i = 0;; ++i) {
                     children.emit(Bytes::own("MOREover " + std::to_string(i % 50)), {});
                   }
                 });
  const auto ran = world.run({{"a", "MORE"}, {"b", "leaf"}});
  EXPECT_EQ(ran.status("a"), "timeout");
  EXPECT_EQ(ran.at("a")["stoq"]["errors"][0]["kind"], "root_timeout");
  EXPECT_EQ(ran.status("b"), "ok");
  fakes::expect_conserved(ran, 2);
}

/// The clock of a call stands still while its children are scanned inside it. Where the machine
/// stands still, a child is late: its parent is not.
TEST(Timeout, ChildrenDoNotCountAgainstTheirParent) {
  constexpr auto limit = std::chrono::milliseconds(250);
  std::size_t late = 0;
  World world;
  world.add_standard();
  world.threads = 1;
  world.config.limits.plugin_timeout = std::chrono::duration<double>(limit).count();
  world.worker("slow", [&](const Payload& payload, const Request&) -> Value {
    const auto began = std::chrono::steady_clock::now();
    if (payload.depth > 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    if (std::chrono::steady_clock::now() - began > limit) ++late;
    return {};
  });
  const auto ran = world.run(
      {{"r", fakes::box("BOXE", {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", "5"}})}});
  EXPECT_EQ(ran.status("r"), "ok");
  EXPECT_EQ(ran.records.size(), 6U);
  EXPECT_EQ(ran.count_status("ok"), 6U - late);
}

}  // namespace
