/// What is archived: roots and what a rule with `save` brought out, each content once, whatever the
/// schedule; and what is said of it when that fails.
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "engine/archived_set.hpp"
#include "engine/connections.hpp"
#include "fakes.hpp"

namespace {

using namespace stoq;
using fakes::box;
using fakes::World;

/// Keeps bytes in memory and counts who asked.
class Keep final : public Connector {
 public:
  void save(std::string_view, std::size_t) override {}
  [[nodiscard]] bool archives() const noexcept override { return true; }
  bool archive(const Payload& payload, const ArchiveInfo& info) const override {
    const std::lock_guard lock(mutex_);
    const std::string bytes(as_chars(payload.view()));
    ++calls[bytes];
    if (refused.contains(bytes)) throw IoError("no room");
    origins[bytes] = std::string(info.origin);
    return hashes.try_emplace(bytes, info.sha256).second;
  }

  mutable std::map<std::string, int> calls;
  mutable std::map<std::string, std::string> hashes, origins;
  std::set<std::string> refused;

 private:
  mutable std::mutex mutex_;
};

Keep& add_keep(World& world, Tlp max_tlp = Tlp::red) {
  auto made = std::make_unique<Keep>();
  auto& keep = *made;
  world.archiver(std::move(made), max_tlp);
  return keep;
}

std::set<std::string> kept(const Keep& keep) {
  std::set<std::string> all;
  for (const auto& [bytes, hash] : keep.hashes) all.insert(bytes);
  return all;
}

TEST(Archive, KeepsRootsAndWhatARuleWithSaveBringsOut) {
  World world;
  world.expander(Category::carver, "unsaved", "LOOK",
                 [](const Payload& payload, const Request&, Children& children) {
                   children.emit(payload.bytes.slice(4, payload.bytes.size() - 4), {});
                 });
  world.save = true;
  world.add_standard();
  const auto& keep = add_keep(world);
  const auto inner = box("BOXP", {{"c", "three"}});
  const auto outer = box("BOXE", {{"a", "one"}, {"b", inner}});
  const auto ran = world.run({{"x", outer}, {"y", "LOOKnot this"}, {"z", ""}});
  fakes::expect_conserved(ran, 3);
  EXPECT_EQ(kept(keep), (std::set<std::string>{outer, "one", inner, "three", "LOOKnot this", ""}));
  EXPECT_EQ(keep.origins.at("one"), "extractor:boxe");
  EXPECT_EQ(keep.origins.at(outer), "");
  // From sha256sum.
  EXPECT_EQ(keep.hashes.at("one"),
            "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
}

TEST(Archive, KeepsWhatOneOfSeveralPlacesAsksFor) {
  World world;
  world.expander(Category::carver, "unsaved", "LOOK",
                 [](const Payload& payload, const Request&, Children& children) {
                   children.emit(payload.bytes.slice(4, 3), {});
                 });
  world.save = true;
  world.add_standard();
  const auto& keep = add_keep(world);
  // The first place of "one" says nothing of saving, its duplicate does.
  const auto ran = world.run({{"x", box("BOXE", {{"a", "LOOKone"}, {"b", "one"}})}});
  EXPECT_EQ(ran.status("x!b"), "duplicate");
  EXPECT_EQ(keep.calls.at("one"), 1);
}

TEST(Archive, BringsEachContentOnceAndLeavesTheRecordsAlone) {
  const auto corpus = fakes::random_corpus(7, 60);
  World plain;
  plain.save = true;
  plain.add_standard(false);
  plain.threads = 1;
  const auto truth = plain.run(corpus);
  for (const unsigned threads : {1U, 2U, 4U}) {
    for (const bool repeat : {false, true}) {
      SCOPED_TRACE(std::to_string(threads) + " threads, repeat " + std::to_string(repeat));
      World world;
      world.threads = threads;
      world.delays = threads > 1;
      world.save = true;
      if (repeat) world.tuning.cache_bytes = std::size_t{1} << 20;
      world.tuning.cache_from = 0;
      world.add_standard(false);
      const auto& keep = add_keep(world);
      const auto ran = world.run(corpus);
      EXPECT_EQ(ran.lines, truth.lines);
      for (const auto& [bytes, times] : keep.calls) EXPECT_EQ(times, 1);
      std::set<std::string> wanted, have;
      for (const auto& record : ran.records) {
        if (record["file"].contains("hash")) wanted.insert(record["file"]["hash"]["sha256"]);
      }
      for (const auto& [bytes, hash] : keep.hashes) have.insert(hash);
      EXPECT_EQ(have, wanted);
    }
  }
}

TEST(Archive, AsksAgainForWhatItForgot) {
  World world;
  world.threads = 1;
  world.tuning.archived = 4;
  // One root after the other: which is forgotten depends on their order.
  world.tuning.batch_roots = 1;
  world.tuning.window = 1;
  auto& keep = add_keep(world);
  fakes::Members roots;
  for (int i = 0; i < 20; ++i) roots.emplace_back("r" + std::to_string(i), std::to_string(i % 10));
  const auto ran = world.run(roots);
  EXPECT_EQ(ran.count_status("ok"), 20U);
  EXPECT_EQ(keep.hashes.size(), 10U);
  EXPECT_EQ(keep.calls.at("0"), 2);
  const auto& counters = ran.counters[world.plugins.archiver];
  EXPECT_EQ(counters.kept, 10U);
  EXPECT_EQ(counters.had, 10U);
}

TEST(Archive, SaysWhatItCouldNotKeepAndScansOn) {
  for (const unsigned threads : {1U, 4U}) {
    World world;
    world.threads = threads;
    world.save = true;
    world.tuning.cache_bytes = std::size_t{1} << 20;
    world.tuning.cache_from = 0;
    world.add_standard(false);
    auto& keep = add_keep(world);
    keep.refused = {"one", "leaf"};
    const auto tree = box("BOXE", {{"a", "one"}, {"b", "two"}, {"c", "one"}});
    const auto ran = world.run({{"x", tree}, {"y", tree}, {"l", "leaf"}, {"m", "leaf"}});
    fakes::expect_conserved(ran, 4);
    // Equal roots are scanned again, and each says it: nothing is repeated that was owed to the
    // disk.
    EXPECT_EQ(ran.repeated, 0U);
    for (const auto* path : {"x!a", "x!c", "y!a", "y!c", "l", "m"}) {
      SCOPED_TRACE(path);
      EXPECT_EQ(ran.status(path), "io_error");
      const auto& error = ran.at(path)["stoq"]["errors"][0];
      EXPECT_EQ(error["plugin"], "connector:keep");
      EXPECT_EQ(error["kind"], "io_error");
      EXPECT_EQ(error["message"], "not archived: no room");
    }
    EXPECT_EQ(ran.status("x!b"), "ok");
    EXPECT_TRUE(ran.at("l")["stoq"]["workers"].contains("sum"));
    EXPECT_EQ(kept(keep), (std::set<std::string>{tree, "two"}));
  }
}

// The set remembers only what was kept: the second of two equal roots has another chance, and says
// nothing of the first one's failure.
TEST(Archive, AnEqualRootIsTriedAgainAfterAFailure) {
  World world;
  world.threads = 1;
  world.tuning.cache_bytes = std::size_t{1} << 20;
  world.tuning.cache_from = 0;
  world.tuning.batch_roots = 1;
  auto& keep = add_keep(world);
  world.worker("nothing", [](const Payload&, const Request&) { return Value{}; });
  keep.refused = {"leaf"};
  world.on_save = [&](std::string_view) { keep.refused.clear(); };
  world.tuning.window = 1;
  const auto ran = world.run({{"a", "leaf"}, {"b", "leaf"}, {"c", "leaf"}});
  EXPECT_EQ(ran.status("a"), "io_error");
  EXPECT_EQ(ran.status("b"), "ok");
  EXPECT_EQ(ran.status("c"), "ok");
  EXPECT_EQ(ran.repeated, 1U);
  EXPECT_EQ(keep.calls.at("leaf"), 2);
}

TEST(Archive, IsNotShownWhatIsTooRestricted) {
  World world;
  world.save = true;
  world.add_standard();
  const auto& keep = add_keep(world, Tlp::green);
  const auto ran = world.run_source([&](Intake& intake) {
    for (const auto level : {Tlp::red, Tlp::green}) {
      Root root;
      root.path = to_string(level);
      root.bytes = Bytes::own(box("BOXE", {{"a", "of " + root.path}}));
      root.tlp = level;
      intake.put(std::move(root));
    }
  });
  EXPECT_EQ(ran.status("red"), "partial");
  EXPECT_EQ(ran.at("red!a")["stoq"]["errors"][0]["kind"], "max_tlp");
  EXPECT_EQ(ran.status("green!a"), "ok");
  EXPECT_FALSE(keep.hashes.contains("of red"));
  EXPECT_TRUE(keep.hashes.contains("of green"));
}

TEST(ArchivedSet, GivesOneContentToOneThreadAtATime) {
  engine::ArchivedSet set(100);
  std::map<int, int> kept_by;
  std::mutex mutex;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        support::Sha256 hash{};
        hash[0] = static_cast<std::byte>(i);
        engine::ArchivedSet::Turn turn(set, hash);
        if (!turn.is_ours()) continue;
        const std::lock_guard lock(mutex);
        // The first try of each fails.
        if (++kept_by[i] == 2) turn.done();
      }
    });
  }
  threads.clear();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(kept_by[i], 2) << i;
}

class Steps final : public Connector {
 public:
  Steps(std::string name, std::vector<std::string>& steps)
      : name_(std::move(name)), steps_(steps) {}
  void connect(ConnectorUse use) override {
    if (name_ == "broken") throw IoError("broken");
    steps_.push_back(name_ + " connect" + (use.results ? " results" : "") +
                     (use.archive ? " archive" : ""));
  }
  void save(std::string_view, std::size_t) override {}
  void disconnect() override {
    steps_.push_back(name_ + " disconnect");
    if (name_ == "late") throw IoError("late");
  }

 private:
  std::string name_;
  std::vector<std::string>& steps_;
};

TEST(Connections, ConnectsEachOnceForAllUses) {
  std::vector<std::string> steps;
  Steps one("one", steps);
  engine::Connections connections;
  connections.add(one, {.results = true});
  connections.add(one, {.archive = true});
  connections.connect();
  connections.disconnect();
  EXPECT_EQ(steps, (std::vector<std::string>{"one connect results archive", "one disconnect"}));
}

TEST(Connections, DisconnectsWhatIsConnectedWhenOneFails) {
  std::vector<std::string> steps;
  Steps one("one", steps), broken("broken", steps), late("late", steps);
  {
    engine::Connections connections;
    connections.add(one, {.results = true});
    connections.add(broken, {.archive = true});
    EXPECT_THROW(connections.connect(), IoError);
  }
  EXPECT_EQ(steps, (std::vector<std::string>{"one connect results", "one disconnect"}));
  steps.clear();
  engine::Connections connections;
  connections.add(one, {.results = true});
  connections.add(late, {.results = true});
  connections.connect();
  EXPECT_THROW(connections.disconnect(), IoError);
  EXPECT_EQ(steps.back(), "one disconnect");
}

}  // namespace
