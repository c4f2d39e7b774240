/// What is done with a plugin, from its construction to its end, whatever ends the run.
#include <algorithm>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/run.hpp"
#include "witnesses.hpp"

namespace {

namespace engine = stoq::engine;
using stoq::fakes::Witnesses;
using Events = std::vector<std::string>;

constexpr const char* categories[] = {"source", "worker", "connector"};

/// Whether each of the events comes once, in this order.
void expect_order(const Witnesses& world, const Events& events) {
  const auto journal = world.journal();
  auto at = journal.begin();
  for (const auto& event : events) {
    EXPECT_EQ(world.count(event), 1U) << event;
    at = std::find(at, journal.end(), event);
    if (at == journal.end()) {
      ADD_FAILURE() << "'" << event
                    << "' does not come where it should: " << testing::PrintToString(journal);
      return;
    }
  }
}

void expect_whole_lives(const Witnesses& world) {
  for (const std::string category : categories) {
    expect_order(world, {category + " constructed", category + " activate",
                         category + " deactivate", category + " destroyed"});
  }
  // Those that the shipped rules name are of these categories.
  for (const std::string category : {"extractor", "decoder", "carver"}) {
    const auto made = world.count(category + " constructed");
    EXPECT_EQ(world.count(category + " activate"), made);
    EXPECT_EQ(world.count(category + " deactivate"), made);
    EXPECT_EQ(world.count(category + " destroyed"), made);
  }
}

TEST(LifeCycle, OfARunThatFinishes) {
  const Witnesses world;
  EXPECT_EQ(engine::Run(world.config()).run().exit_code(), 0);
  expect_whole_lives(world);
  expect_order(world, {"connector activate", "connector connect", "source ingest",
                       "connector disconnect", "connector deactivate"});
  EXPECT_TRUE(world.journal("worker heartbeat").empty()) << "none is wanted";
}

TEST(LifeCycle, TheLastActivatedIsDeactivatedFirst) {
  const Witnesses world;
  { const engine::Run run(world.config()); }
  expect_order(world, {"worker activate", "source activate", "connector activate",
                       "connector deactivate", "source deactivate", "worker deactivate"});
}

/// The numbers of the threads that called a method, as a witness with `tells` noted them.
std::set<std::string> threads_of(const Witnesses& world, const std::string& method) {
  std::set<std::string> threads;
  for (const auto& event : world.journal(method + " on ")) {
    threads.insert(event.substr(method.size() + 4));
  }
  return threads;
}

TEST(LifeCycle, ASourceHasAThreadOfItsOwn) {
  const Witnesses world;
  world.add("source", "w", "tells = True\ncount = 200\n");
  world.add("worker", "w", "tells = True\n");
  EXPECT_EQ(engine::Run(world.config()).run().exit_code(), 0);
  const auto ingest = threads_of(world, "source ingest");
  ASSERT_EQ(ingest.size(), 1U);
  EXPECT_NE(*ingest.begin(), std::to_string(::gettid()));
  const auto scan = threads_of(world, "worker scan");
  EXPECT_GE(scan.size(), 1U);
  EXPECT_FALSE(scan.contains(*ingest.begin()));
}

TEST(LifeCycle, ThePluginIsToldHowManyThreadsScan) {
  for (const unsigned threads : {1U, 3U}) {
    const Witnesses world;
    for (const auto* category : categories) world.add(category, "w", "tells = True\n");
    auto config = world.config();
    config.threads = threads;
    { const engine::Run run(config); }
    for (const std::string category : categories) {
      EXPECT_EQ(world.count(category + " of " + std::to_string(threads) + " threads"), 1U);
    }
  }
}

TEST(LifeCycle, OfAConnectorThatOnlySaves) {
  const Witnesses world;
  const auto library = world.folder() / "connector/w/w.so";
  std::filesystem::remove(library);
  std::filesystem::create_symlink(std::filesystem::path(STOQ_FIXTURES) / "witness_bare.so",
                                  library);
  EXPECT_EQ(engine::Run(world.config()).run().exit_code(), 0);
  std::uint64_t saved = 0;
  const std::string saves = "connector saves ";
  for (const auto& event : world.journal(saves)) saved += std::stoull(event.substr(saves.size()));
  EXPECT_EQ(saved, 3U);
  expect_order(world, {"connector activate", "connector deactivate", "connector destroyed"});
}

TEST(LifeCycle, OfARunThatFails) {
  const Witnesses world;
  world.add("connector", "w", "refuses = True\nbeats = True\n");
  EXPECT_THROW((void)engine::Run(world.config()).run(), stoq::IoError);
  expect_whole_lives(world);
  expect_order(world, {"connector connect", "connector heartbeat ends", "connector disconnect",
                       "connector deactivate"});
}

TEST(LifeCycle, OfARunThatIsInterrupted) {
  const Witnesses world;
  world.add("source", "w", "count = 1000000000000\n");
  world.add("worker", "w", "beats = True\n");
  {
    engine::Run run(world.config());
    std::thread other([&] {
      while (world.journal("worker heartbeat").empty()) std::this_thread::yield();
      run.interrupt();
    });
    EXPECT_EQ(run.run().exit_code(), 130);
    other.join();
  }
  expect_whole_lives(world);
  expect_order(world, {"worker heartbeat ends", "connector disconnect", "worker deactivate"});
}

TEST(LifeCycle, OfARunThatIsInterruptedBeforeItBegins) {
  const Witnesses world;
  {
    engine::Run run(world.config());
    run.interrupt();
    EXPECT_EQ(run.run().exit_code(), 130);
  }
  expect_whole_lives(world);
}

TEST(LifeCycle, OfARunThatDoesNotStart) {
  for (const std::string failure : {"config", "exception", "number"}) {
    SCOPED_TRACE(failure);
    const Witnesses world;
    world.add("connector", "w", "failure = " + failure + "\n");
    EXPECT_THROW(const engine::Run run(world.config()), stoq::ConfigError);
    expect_order(world, {"worker activate", "connector activate", "connector destroyed",
                         "worker deactivate", "worker destroyed"});
    EXPECT_EQ(world.count("connector deactivate"), 0U) << "it was never active";
    EXPECT_EQ(world.count("source ingest"), 0U);
  }
}

TEST(LifeCycle, HeartbeatsOfAnyCategoryHaveThreadsOfTheirOwn) {
  const Witnesses world;
  Events heralds;
  for (const auto* category : categories) {
    world.add(category, "w", "beats = True\n");
    heralds.push_back(category + std::string(" heartbeat "));
  }
  world.add("extractor", "zip", "beats = True\n");
  heralds.emplace_back("extractor heartbeat ");
  EXPECT_EQ(engine::Run(world.config()).run().exit_code(), 0);
  std::set<std::string> threads{std::to_string(::gettid())};
  for (const auto& herald : heralds) {
    SCOPED_TRACE(herald);
    // One begins, with the number of its thread, and one ends.
    const auto events = world.journal(herald);
    ASSERT_EQ(events.size(), 2U);
    EXPECT_TRUE(threads.insert(events[0].substr(herald.size())).second) << "a thread of another";
    EXPECT_EQ(events[1], herald + "ends");
  }
  const auto journal = world.journal();
  std::size_t running = 0;
  for (const auto& event : journal) {
    if (event.ends_with(" ends")) {
      --running;
    } else if (event.find(" heartbeat ") != event.npos) {
      ++running;
    }
    if (event.ends_with(" deactivate") || event.ends_with(" disconnect")) {
      EXPECT_EQ(running, 0U) << event;
    }
  }
}

TEST(LifeCycle, AHeartbeatThatThrowsIsReportedAndTheRunGoesOn) {
  const Witnesses world;
  world.add("worker", "w", "beats = True\nbeat_throws = True\n");
  testing::internal::CaptureStderr();
  const auto summary = engine::Run(world.config()).run();
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(summary.exit_code(), 0);
  EXPECT_EQ(summary.roots, 3U);
  for (const auto* part : {"error", "worker:w", "no pulse"}) {
    EXPECT_NE(log.find(part), log.npos) << log;
  }
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1) << log;
  expect_whole_lives(world);
}

TEST(LifeCycle, DescribingAPluginEndsItToo) {
  const Witnesses world;
  world.add("worker", "w", "beats = True\n");
  EXPECT_EQ(engine::describe_plugin(world.config(), "worker:w").problem, "");
  expect_order(world,
               {"worker constructed", "worker activate", "worker deactivate", "worker destroyed"});
  EXPECT_TRUE(world.journal("worker heartbeat").empty()) << "there is no run";
}

}  // namespace
