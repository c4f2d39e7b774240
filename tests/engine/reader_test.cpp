/// Readers as those who ask for them get them.
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "engine/plugin_registry.hpp"
#include "engine/run.hpp"
#include "witnesses.hpp"

namespace {

namespace engine = stoq::engine;
using stoq::Category;
using stoq::fakes::Witnesses;
using Events = std::vector<std::string>;

std::string refusal(const engine::Config& config) {
  try {
    const engine::Run run(config);
    return {};
  } catch (const stoq::ConfigError& error) {
    return error.what();
  }
}

TEST(Reader, IsNotLoadedUnlessAsked) {
  const Witnesses world;
  world.add("reader", "plain");
  { const engine::Run run(world.config()); }
  EXPECT_TRUE(world.journal("reader").empty());
}

TEST(Reader, IsActivatedBeforeWhoAsksReturnsAndDeactivatedAfter) {
  const Witnesses world;
  world.add("reader", "plain");
  world.add("worker", "w", "reader_list = plain\n");
  { const engine::Run run(world.config()); }
  const auto journal = world.journal();
  Events events;
  for (const auto& event : journal) {
    if (event.starts_with("reader") || event.starts_with("worker")) events.push_back(event);
  }
  EXPECT_EQ(events, (Events{"worker constructed", "worker activate", "reader constructed",
                            "reader activate", "worker deactivate", "reader deactivate",
                            "worker destroyed", "reader destroyed"}))
      << testing::PrintToString(events);
}

TEST(Reader, IsOneForAllWhoAsk) {
  const Witnesses world;
  world.add("reader", "plain");
  world.add("worker", "w", "reader_list = plain\n");
  world.add("worker", "v", "reader_list = plain\n");
  auto config = world.config();
  config.workers = {"w", "v"};
  { const engine::Run run(config); }
  EXPECT_EQ(world.count("reader activate"), 1U);
  EXPECT_EQ(world.count("reader deactivate"), 1U);
}

TEST(Reader, ReadsForAWorkerAndForAReader) {
  const Witnesses world;
  world.add("reader", "plain");
  world.add("reader", "twice", "reader_list = plain\n");
  world.add("worker", "w", "reader_list = twice,nowhere\n");
  const auto config = world.config();
  engine::Log log;
  engine::PluginRegistry registry(config, log, 1);
  const auto& worker = dynamic_cast<stoq::Worker&>(*registry.need(Category::worker, "w").instance);
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own("abc");
  const auto found = worker.scan(payload, {});
  const auto& items = *found["read"].get_if<stoq::Value::Array>();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].text("text"), "abc+abc");
  EXPECT_TRUE(items[1].is_null());
}

TEST(Reader, HidesFromWhoAsksWhatItMayNotSee) {
  const Witnesses world;
  world.add("reader", "plain", "max_tlp = green\n");
  world.add("reader", "twice", "reader_list = plain\nmax_tlp = amber\n");
  world.add("worker", "w", "reader_list = twice\n");
  world.add("worker", "v", "reader_list = twice\nmax_tlp = white\n");
  const auto config = world.config();
  engine::Log log;
  engine::PluginRegistry registry(config, log, 1);
  EXPECT_EQ(registry.need(Category::worker, "w").engine.max_tlp, stoq::Tlp::green);
  EXPECT_EQ(registry.need(Category::worker, "v").engine.max_tlp, stoq::Tlp::white);
}

TEST(Reader, ThatIsMissingIsAnErrorForWhoNeedsIt) {
  const Witnesses world;
  world.add("worker", "w", "reader_list = nowhere\n");
  EXPECT_EQ(refusal(world.config()), "");
  const auto file = world.add("worker", "w", "reader_list = nowhere\nneeds = True\n");
  const auto message = refusal(world.config());
  EXPECT_NE(message.find("needs reader:nowhere, which is not there; build or install it"),
            message.npos)
      << message;
  EXPECT_NE(message.find(file.string()), message.npos) << message;
}

TEST(Reader, ThatRefusesItselfIsAnErrorForWhoAsks) {
  const Witnesses world;
  const auto file = world.add("reader", "plain", "failure = config\n");
  world.add("worker", "w", "reader_list = plain\n");
  const auto message = refusal(world.config());
  EXPECT_NE(message.find("its far side is down (reader:plain; correct its options in " +
                         file.string() + " or by --option"),
            message.npos)
      << message;
  EXPECT_EQ(world.count("reader deactivate"), 0U);
  EXPECT_EQ(world.count("worker deactivate"), 0U);
}

TEST(Reader, ThatWaitsForItselfIsAnError) {
  const Witnesses world;
  world.add("reader", "plain", "reader_list = twice\n");
  world.add("reader", "twice", "reader_list = plain\n");
  world.add("worker", "w", "reader_list = plain\n");
  const auto message = refusal(world.config());
  EXPECT_NE(message.find("reader:twice asks for reader:plain, which waits for it"), message.npos)
      << message;
}

TEST(Reader, IsNotLoadedOnceTheRunHasBegun) {
  const Witnesses world;
  world.add("reader", "plain");
  const auto config = world.config();
  engine::Log log;
  engine::PluginRegistry registry(config, log, 1);
  EXPECT_EQ(registry.reader("plain"), nullptr);
  registry.need(Category::reader, "plain");
  EXPECT_NE(registry.reader("plain"), nullptr);
}

}  // namespace
