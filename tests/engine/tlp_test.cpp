/// Who is shown a payload, by its Traffic Light Protocol level.
#include <gtest/gtest.h>

#include "fakes.hpp"

namespace {

using namespace stoq;
using fakes::World;

void put(Intake& intake, const char* path, const std::string& bytes, std::optional<Tlp> tlp) {
  Root root;
  root.path = path;
  root.bytes = Bytes::own(bytes);
  root.tlp = tlp;
  intake.put(std::move(root));
}

struct Case {
  Tlp payload, most;
  bool shown;
};
const Case cases[] = {
    {Tlp::white, Tlp::white, true}, {Tlp::green, Tlp::white, false},
    {Tlp::green, Tlp::green, true}, {Tlp::amber, Tlp::green, false},
    {Tlp::amber, Tlp::red, true},   {Tlp::red, Tlp::amber, false},
    {Tlp::red, Tlp::red, true},
};

TEST(MaxTlp, HidesPayloadsAndTheirChildrenFromAWorker) {
  for (const auto& [payload, most, shown] : cases) {
    SCOPED_TRACE(std::string(to_string(payload)) + " for " + std::string(to_string(most)));
    World world;
    world.add_standard();
    world.plugins.plugins[world.plugins.find("worker:sum")].max_tlp = most;
    const auto tree = fakes::box("BOXE", {{"a", "one"}});
    const auto ran = world.run_source([&](Intake& intake) { put(intake, "root", tree, payload); });
    fakes::expect_conserved(ran, 1);
    ASSERT_EQ(ran.records.size(), 2U);
    for (const auto& record : ran.records) {
      const auto& stoq = record["stoq"];
      EXPECT_EQ(stoq["tlp"], to_string(payload));
      EXPECT_EQ(stoq.contains("workers"), shown);
      EXPECT_EQ(stoq["status"], shown ? "ok" : "partial");
      if (shown) continue;
      EXPECT_EQ(stoq["errors"][0]["plugin"], "worker:sum");
      EXPECT_EQ(stoq["errors"][0]["kind"], "max_tlp");
    }
  }
}

TEST(MaxTlp, KeepsAContainerClosedForAnExtractor) {
  World world;
  world.add_standard();
  world.plugins.plugins[world.plugins.find("extractor:boxe")].max_tlp = Tlp::green;
  const auto tree = fakes::box("BOXE", {{"a", "one"}});
  const auto ran = world.run_source([&](Intake& intake) {
    put(intake, "open", tree, Tlp::green);
    put(intake, "closed", tree, Tlp::amber);
  });
  EXPECT_EQ(ran.status("open!a"), "ok");
  EXPECT_EQ(ran.status("closed"), "partial");
  EXPECT_EQ(ran.status("closed!a"), "no record");
}

TEST(Tlp, TheSourceKnowsBetterThanTheRun) {
  World world;
  world.add_standard();
  world.config.tlp = Tlp::amber;
  const auto ran = world.run_source([&](Intake& intake) {
    put(intake, "said", "leaf", Tlp::green);
    put(intake, "unsaid", "leaf", std::nullopt);
  });
  EXPECT_EQ(ran.at("said")["stoq"]["tlp"], "green");
  EXPECT_EQ(ran.at("unsaid")["stoq"]["tlp"], "amber");
}

TEST(Tlp, EqualRootsOfOtherLevelsDoNotShareResults) {
  World world;
  world.add_standard(false);
  world.threads = 1;
  world.tuning.cache_bytes = std::size_t{1} << 20;
  world.plugins.plugins[world.plugins.find("worker:sum")].max_tlp = Tlp::green;
  const auto ran = world.run_source([&](Intake& intake) {
    put(intake, "a", "leaf", Tlp::green);
    put(intake, "b", "leaf", Tlp::red);
    put(intake, "c", "leaf", Tlp::red);
  });
  EXPECT_EQ(ran.status("a"), "ok");
  EXPECT_EQ(ran.status("b"), "partial");
  EXPECT_EQ(ran.status("c"), "partial");
  EXPECT_EQ(ran.repeated, 1U);
}

TEST(Metadata, StandsInEveryRootsMeta) {
  World world;
  world.add_standard();
  world.config.metadata = {{"case", "1234"}, {"submitter", "me"}};
  const auto ran = world.run({{"a", fakes::box("BOXE", {{"b", "one"}})}, {"c", "leaf"}});
  for (const auto* path : {"a", "c"}) {
    EXPECT_EQ(ran.at(path)["stoq"]["meta"], (fakes::Json{{"case", "1234"}, {"submitter", "me"}}));
  }
  EXPECT_FALSE(ran.at("a!b")["stoq"].contains("meta"));
}

// A second member of one name would be lost to most readers of JSON.
TEST(Metadata, ReplacesWhatTheSourceAndEarlierOptionsSayUnderItsName) {
  World world;
  world.add_standard();
  world.config.metadata = {{"case", "1"}, {"case", "2"}};
  const auto ran = world.run_source([](Intake& intake) {
    Root root;
    root.path = "a";
    root.bytes = Bytes::own(std::string("leaf"));
    root.meta = Value{{"case", "0"}, {"from", "mail"}};
    intake.put(std::move(root));
  });
  EXPECT_NE(ran.lines.find(R"("meta":{"case":"2","from":"mail"})"), std::string::npos) << ran.lines;
}

}  // namespace
