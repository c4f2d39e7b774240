/// Equal roots: scanned once, and told apart where they must be.
#include "engine/result_cache.hpp"

#include <atomic>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fakes.hpp"

namespace {

using namespace stoq;
using engine::ResultCache;
using engine::RootResults;
using fakes::World;

ResultCache::Key digest(int number, Tlp tlp = Tlp::white) {
  ResultCache::Key made{{}, tlp};
  made.sha256[0] = static_cast<std::byte>(number);
  return made;
}

std::shared_ptr<RootResults> results(std::size_t entry_size) {
  auto made = std::make_shared<RootResults>();
  made->spool.append(std::string(entry_size, 'x'));
  return made;
}

TEST(ResultCache, FindsByContentAndByNameWhereItWasKeptByName) {
  ResultCache cache(1U << 20);
  const auto bare = results(10);
  const auto named = results(10);
  cache.keep(digest(1), "", nullptr, bare);
  cache.keep(digest(2), "a.txt", nullptr, named);
  EXPECT_EQ(cache.find(digest(1), "any", {}), bare);
  EXPECT_EQ(cache.find(digest(2), "a.txt", {}), named);
  EXPECT_EQ(cache.find(digest(2), "b.txt", {}), nullptr);
  EXPECT_EQ(cache.find(digest(3), "", {}), nullptr);
  EXPECT_EQ(cache.find(digest(1, Tlp::red), "", {}), nullptr);
}

TEST(ResultCache, FindsByMetaWhereItWasKeptByMeta) {
  const std::vector<Value> metas{
      {},
      Value::Object{},
      {{"a", {}}},
      {{"a", true}},
      {{"a", 1}},
      {{"a", 1.0}},
      {{"a", "1"}},
      {{"a", "1"}, {"b", "2"}},
      {{"a", Value::Array{1, 2}}},
      {{"a", Value::Array{12}}},
      {{"a", Value::Array{Value::Array{1}, 2}}},
      {{"a", Value{{"b", "2"}}}},
      {{"a", "\xff"}},
      {{"a", "\xfe"}},
  };
  for (const std::string name : {"", "a.txt"}) {
    ResultCache cache(1U << 20);
    std::vector<std::shared_ptr<RootResults>> kept;
    for (const auto& meta : metas) {
      EXPECT_EQ(cache.find(digest(1), name, meta), nullptr) << kept.size();
      kept.push_back(results(10));
      cache.keep(digest(1), name, &meta, kept.back());
    }
    for (std::size_t i = 0; i < metas.size(); ++i) {
      EXPECT_EQ(cache.find(digest(1), "a.txt", metas[i]), kept[i]) << i;
      EXPECT_EQ(cache.find(digest(1), "b.txt", metas[i]), name.empty() ? kept[i] : nullptr) << i;
    }
  }
}

TEST(ResultCache, CountsMeta) {
  ResultCache cache(10'000);
  const Value large{{"a", std::string(10'000, 'x')}};
  cache.keep(digest(1), "", &large, results(10));
  EXPECT_EQ(cache.find(digest(1), "", large), nullptr);
}

TEST(ResultCache, KeepsTheFirstOfTwo) {
  ResultCache cache(1U << 20);
  const auto first = results(10);
  cache.keep(digest(1), "", nullptr, first);
  cache.keep(digest(1), "", nullptr, results(10));
  EXPECT_EQ(cache.find(digest(1), "", {}), first);
}

TEST(ResultCache, DropsWhatWasNotAskedForLongest) {
  ResultCache cache(10'000);
  cache.keep(digest(1), "", nullptr, results(3000));
  cache.keep(digest(2), "", nullptr, results(3000));
  EXPECT_NE(cache.find(digest(1), "", {}), nullptr);
  cache.keep(digest(3), "", nullptr, results(3000));
  EXPECT_NE(cache.find(digest(1), "", {}), nullptr);
  EXPECT_EQ(cache.find(digest(2), "", {}), nullptr);
  EXPECT_NE(cache.find(digest(3), "", {}), nullptr);
  cache.keep(digest(4), "", nullptr, results(20'000));  // larger than all of it
  EXPECT_EQ(cache.find(digest(4), "", {}), nullptr);
  EXPECT_NE(cache.find(digest(3), "", {}), nullptr);
}

TEST(ResultCache, BoundsFilesAndWhatIsInThem) {
  constexpr std::size_t in_file = 100'000;
  ResultCache few(1U << 20, 2);
  for (int i = 0; i < 3; ++i) few.keep(digest(i), "", nullptr, results(in_file));
  EXPECT_EQ(few.find(digest(0), "", {}), nullptr);
  EXPECT_NE(few.find(digest(1), "", {}), nullptr);
  ResultCache small(1U << 20, 10, 250'000);
  for (int i = 0; i < 3; ++i) small.keep(digest(i), "", nullptr, results(in_file));
  EXPECT_EQ(small.find(digest(0), "", {}), nullptr);
  EXPECT_NE(small.find(digest(2), "", {}), nullptr);
}

/// Runs with one thread and no cache, then with `threads` and a cache that keeps everything.
struct Both {
  fakes::Ran without, with;
};
Both run_both(World& world, const fakes::Members& corpus, unsigned threads = 1) {
  Both both;
  world.threads = 1;
  world.memory = std::uint64_t{1} << 30;
  both.without = world.run(corpus);
  world.threads = threads;
  world.tuning.cache_bytes = std::size_t{64} << 20;
  world.tuning.cache_from = {};
  both.with = world.run(corpus);
  return both;
}

TEST(EqualRoots, AreScannedOnceUnderTheirOwnNames) {
  World world;
  world.add_standard(false);
  std::atomic<int> calls{0};
  world.worker("counter", [&](const Payload&, const Request&) {
    ++calls;
    return Value{};
  });
  const auto tree =
      fakes::box("BOXE", {{"a", "one"}, {"b", fakes::box("BOXR", {{"c", "two"}, {"d", "one"}})}});
  const auto [without, with] =
      run_both(world, {{"x/first", tree}, {"other", "leaf"}, {"y/second", tree}, {"third", tree}});
  EXPECT_EQ(with.lines, without.lines);
  EXPECT_EQ(with.repeated, 2U);
  EXPECT_EQ(without.repeated, 0U);
  // Four contents and a leaf; without the cache the four three times.
  EXPECT_EQ(calls, 13 + 5);
  EXPECT_EQ(with.at("y/second")["file"]["name"], "second");
  EXPECT_EQ(with.at("y/second!b!c")["stoq"]["depth"], 2);
  fakes::expect_conserved(with, 4);
}

TEST(EqualRoots, ChildrenThatAreNamedAfterThemAreNamedAnew) {
  for (const bool worker_reads : {false, true}) {
    World world;
    world.add_standard(false);
    world.worker(
        "namer",
        [=](const Payload& payload, const Request&) {
          return Value{{"name", worker_reads ? payload.name : "any"}};
        },
        worker_reads);
    const auto twice = fakes::inverted(fakes::inverted(fakes::box("BOXE", {{"m", "leaf"}})));
    const auto [without, with] = run_both(
        world, {{"x/a.inv.inv", twice}, {"b.inv", twice}, {"bare", twice}, {"c.inv.inv", twice}});
    EXPECT_EQ(with.lines, without.lines);
    EXPECT_EQ(with.repeated, worker_reads ? 0U : 3U);
    for (const std::string path :
         {"x/a.inv.inv!a.inv!a!m", "b.inv!b!#0!m", "bare!#0!#0!m", "c.inv.inv!c.inv!c!m"}) {
      EXPECT_EQ(with.status(path), "ok") << path;
    }
    EXPECT_EQ(with.at("c.inv.inv!c.inv")["stoq"]["origin"]["member"], "c.inv");
    EXPECT_EQ(with.at("c.inv.inv!c.inv!c")["file"]["name"], "c");
    EXPECT_FALSE(with.at("bare!#0")["file"].contains("name"));
    EXPECT_FALSE(with.at("bare!#0")["stoq"]["origin"].contains("member"));
    EXPECT_EQ(with.at("b.inv!b")["stoq"]["workers"]["namer"]["name"], worker_reads ? "b" : "any");
  }
}

TEST(EqualRoots, RandomTreesTwice) {
  for (const std::uint32_t seed : {1U, 2U, 3U}) {
    World world;
    world.add_standard(false);
    world.config.limits.max_depth = 3;
    auto corpus = fakes::random_corpus(seed, 12);
    for (std::size_t i = 0; i < 12; ++i)
      corpus.emplace_back("again/" + corpus[i].first + ".inv.inv", corpus[i].second);
    const auto [without, with] = run_both(world, corpus);
    EXPECT_EQ(with.lines, without.lines);
    EXPECT_GE(with.repeated, 12U);
    const auto spread = run_both(world, corpus, 3);
    EXPECT_EQ(spread.with.lines, without.lines);
  }
}

TEST(EqualRoots, LargeResultsAreSharedFromTheirFile) {
  World world;
  world.add_standard(false);
  fakes::Members many;
  for (int i = 0; i < 3000; ++i) {
    many.emplace_back("m" + std::to_string(i), "leaf " + std::to_string(i));
  }
  const auto tree = fakes::box("BOXP", many);
  const auto [without, with] = run_both(world, {{"a", tree}, {"b", "leaf"}, {"c", tree}}, 2);
  EXPECT_EQ(with.lines, without.lines);
  EXPECT_EQ(with.count, 6003U);
}

TEST(EqualRoots, AreScannedAgainWhereAWorkerReadsNames) {
  World world;
  world.add_standard(false);
  world.worker(
      "namer",
      [](const Payload& payload, const Request&) {
        return Value{{"name", payload.name}};
      },
      true);
  const auto [without, with] =
      run_both(world, {{"a/x", "leaf"}, {"b/y", "leaf"}, {"c/x", "leaf"}, {"d/y", "leaf"}});
  EXPECT_EQ(with.lines, without.lines);
  EXPECT_EQ(with.at("b/y")["stoq"]["workers"]["namer"]["name"], "y");
  EXPECT_EQ(with.repeated, 2U);
}

TEST(EqualRoots, AreScannedAgainWhereTheirOpenerReadsNames) {
  World world;
  world.worker("sum", [](const Payload&, const Request&) { return Value{}; });
  world.expander(Category::decoder, "renamer", "NAME",
                 [](const Payload& payload, const Request&, Children& children) {
                   children.emit(payload.bytes.slice(4, 3), {.name = payload.name + ".plain"});
                 });
  const auto [without, with] = run_both(world, {{"x", "NAMEabc"}, {"y", "NAMEabc"}});
  EXPECT_EQ(with.lines, without.lines);
  EXPECT_EQ(with.repeated, 0U);
  EXPECT_EQ(with.status("y!y.plain"), "ok");
}

TEST(EqualRoots, AreScannedAgainAfterWhatMayNotHappenTwice) {
  struct Case {
    const char* name;
    std::function<void()> raise;
    const char* status;
  };
  const Case cases[] = {
      {"crash", [] { throw std::runtime_error("now"); }, "crash"},
      {"memory", [] { throw std::bad_alloc(); }, "out_of_memory"},
      {"disk", [] { throw IoError("now"); }, "io_error"},
  };
  for (const auto& [name, raise, status] : cases) {
    SCOPED_TRACE(name);
    World world;
    world.threads = 1;
    world.tuning.cache_bytes = std::size_t{1} << 20;
    world.tuning.cache_from = {};
    int calls = 0;
    world.worker("fails_once", [&](const Payload&, const Request&) {
      if (++calls == 1) raise();
      return Value{};
    });
    const auto ran = world.run({{"a", "leaf"}, {"b", "leaf"}, {"c", "leaf"}});
    EXPECT_EQ(ran.status("a"), status);
    EXPECT_EQ(ran.status("b"), "ok");
    EXPECT_EQ(ran.status("c"), "ok");
    EXPECT_EQ(ran.repeated, 1U);
  }
}

TEST(EqualRoots, RepeatWhatIsBrokenInTheBytes) {
  World world;
  world.add_standard(false);
  world.config.limits.max_children = 2;
  const auto cut = fakes::box("BOXE", {{"a", "one"}, {"b", "two"}, {"c", "three"}});
  const auto broken = cut.substr(0, cut.size() - 1);
  const auto [without, with] =
      run_both(world, {{"a", cut}, {"b", broken}, {"c", cut}, {"d", broken}});
  EXPECT_EQ(with.lines, without.lines);
  EXPECT_EQ(with.repeated, 2U);
  EXPECT_EQ(with.status("c"), "partial");
  EXPECT_EQ(with.status("d"), "corrupt");
}

TEST(EqualRoots, KeepWhatTheirSourceSaysOfThem) {
  World world;
  world.add_standard(false);
  world.threads = 1;
  world.tuning.cache_bytes = std::size_t{1} << 20;
  world.tuning.cache_from = {};
  const auto ran = world.run_source([](Intake& intake) {
    for (const auto* path : {"whole", "cut", "again"}) {
      Root root;
      root.path = path;
      root.bytes = Bytes::own(std::string("leaf"));
      if (root.path == "cut") {
        root.status = Status::partial;
        root.message = "the rest is missing";
      }
      root.meta = Value{{"from", path}};
      intake.put(std::move(root));
    }
  });
  EXPECT_EQ(ran.status("whole"), "ok");
  EXPECT_EQ(ran.status("cut"), "partial");
  EXPECT_EQ(ran.status("again"), "ok");
  EXPECT_EQ(ran.at("again")["stoq"]["meta"]["from"], "again");
  EXPECT_EQ(ran.repeated, 2U);
}

/// A world in which somebody reads a root's meta.
void add_reader_of_meta(World& world, bool worker) {
  world.add_standard(false);
  if (worker) {
    world.worker("said", [](const Payload&, const Request& request) {
      return Value{{"by", request.meta().text("by", "nobody")}};
    });
    return;
  }
  world.expander(
      Category::decoder, "said", "SAID",
      [](const Payload&, const Request& request, Children& children) {
        children.emit(Bytes::own(std::string(request.meta().text("by", "nobody"))), {});
      },
      false);
}

void put_said(Intake& intake, std::string path, const std::string& bytes, Value meta) {
  Root root;
  root.path = std::move(path);
  root.bytes = Bytes::own(bytes);
  root.meta = std::move(meta);
  intake.put(std::move(root));
}

TEST(EqualRoots, AreScannedAgainWhereSomebodyReadsTheirMeta) {
  const auto tree = fakes::box("BOXE", {{"a", "SAID"}});
  const auto ingest = [&](Intake& intake) {
    put_said(intake, "1", tree, Value{{"by", "Ann"}});
    put_said(intake, "2", tree, Value{{"by", "Bob"}});
    put_said(intake, "3", tree, {});
    put_said(intake, "4", tree, Value{{"by", "Ann"}});
    put_said(intake, "5", tree, {});
  };
  const char* const by[] = {"Ann", "Bob", "nobody", "Ann", "nobody"};
  for (const bool worker : {true, false}) {
    World world;
    add_reader_of_meta(world, worker);
    world.threads = 1;
    const auto without = world.run_source(ingest);
    world.tuning.cache_bytes = std::size_t{1} << 20;
    world.tuning.cache_from = {};
    const auto with = world.run_source(ingest);
    EXPECT_EQ(with.lines, without.lines);
    EXPECT_EQ(with.repeated, 2U);
    for (std::size_t i = 0; i < std::size(by); ++i) {
      const auto path = std::to_string(i + 1) + "!a";
      if (worker) {
        EXPECT_EQ(with.at(path)["stoq"]["workers"]["said"]["by"], by[i]) << "children see it, too";
      } else {
        EXPECT_EQ(with.at(path + "!#0")["file"]["size"], std::string(by[i]).size());
      }
    }
  }
}

TEST(Meta, OfTheSourceAndOfTheUserReachesAWorker) {
  World world;
  world.worker("all", [](const Payload&, const Request& request) {
    return Value{{"meta", request.meta()}};
  });
  using namespace nlohmann::json_literals;
  const auto seen = [](const fakes::Ran& ran, const char* path) {
    return ran.at(path)["stoq"].value("/workers/all/meta"_json_pointer, fakes::Json());
  };
  auto ran = world.run({{"a", "leaf"}});
  EXPECT_TRUE(seen(ran, "a").is_null());
  world.config.metadata = {{"case", "7"}};
  ran = world.run_source([](Intake& intake) {
    put_said(intake, "a", "leaf", Value{{"by", "Ann"}});
  });
  EXPECT_EQ(seen(ran, "a"), (fakes::Json{{"by", "Ann"}, {"case", "7"}}));
  EXPECT_EQ(ran.at("a")["stoq"]["meta"], seen(ran, "a"));
}

}  // namespace
