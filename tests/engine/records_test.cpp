/// What a record says of a payload's place: ids, paths, names, duplicates, quines.
#include <atomic>
#include <set>

#include <gtest/gtest.h>

#include "fakes.hpp"

namespace {

using namespace stoq;
using fakes::Ran;
using fakes::World;

Ran run_everywhere(World& world, const fakes::Members& roots) {
  world.threads = 1;
  auto one = world.run(roots);
  fakes::expect_conserved(one, roots.size());
  for (const unsigned threads : {2U, 8U}) {
    world.threads = threads;
    world.tuning.hungry_limit = 1'000'000;
    EXPECT_EQ(world.run(roots).lines, one.lines) << threads << " threads";
  }
  return one;
}

/// Ids and digests from Python's hashlib over the rule of output.md.
TEST(Records, IdsComeFromPlaceAndContent) {
  World world;
  world.add_standard();
  const auto ran = run_everywhere(
      world,
      {{"other", "x"}, {"dir/r", fakes::box("BOXE", {{"a", "leaf one"}, {"b", "leaf two"}})}});
  ASSERT_EQ(ran.records.size(), 4U);
  const auto& root = ran.records[1];
  const auto& child = ran.records[3];
  EXPECT_EQ(root["stoq"]["id"], "bbdc15cbf9b62311");
  EXPECT_EQ(root["stoq"]["root"], "bbdc15cbf9b62311");
  EXPECT_FALSE(root["stoq"].contains("parent"));
  EXPECT_EQ(ran.records[2]["stoq"]["id"], "485042ae809ef46f");
  EXPECT_EQ(child["stoq"]["id"], "37c6b84355419c74");
  EXPECT_EQ(child["stoq"]["parent"], "bbdc15cbf9b62311");
  EXPECT_EQ(child["stoq"]["root"], "bbdc15cbf9b62311");
  EXPECT_EQ(child["stoq"]["depth"], 1);
  EXPECT_EQ(child["stoq"]["ordinal"], fakes::Json({1, 1}));
  EXPECT_EQ(child["stoq"]["path"], "dir/r!b");
  EXPECT_EQ(child["stoq"]["origin"]["category"], "extractor");
  EXPECT_EQ(child["stoq"]["origin"]["plugin"], "boxe");
  EXPECT_EQ(child["stoq"]["origin"]["member"], "b");
  EXPECT_EQ(child["stoq"]["origin"]["offset"], 4 + 9 + 8 + 9);
  EXPECT_EQ(child["file"]["path"], "dir/r");
  EXPECT_EQ(child["file"]["name"], "b");
  EXPECT_EQ(child["file"]["size"], 8);
  EXPECT_EQ(child["file"]["hash"]["sha256"],
            "51b48b6a4ae60b0866effb0529bb7ff5661c5ec219fb21e3ca2efe5e19ccca65");
  EXPECT_EQ(root["file"]["name"], "r");
}

TEST(Records, OriginsSayWhatThePluginSaysOfAChild) {
  World world;
  world.expander(Category::carver, "cut", "CUT_",
                 [](const Payload& payload, const Request&, Children& children) {
                   children.emit(payload.bytes.slice(4, 1), {.offset = 4});
                   children.emit(
                       payload.bytes.slice(5, 1),
                       {.meta = Value{{"key", "2a"}, {"bits", 3}, {"of", Value{{"a", true}}}}});
                 });
  const auto ran = run_everywhere(world, {{"r", "CUT_ab"}});
  ASSERT_EQ(ran.records.size(), 3U);
  EXPECT_FALSE(ran.records[1]["stoq"]["origin"].contains("meta"));
  EXPECT_EQ(ran.records[2]["stoq"]["origin"],
            fakes::Json::parse(R"({"category": "carver", "plugin": "cut",
                                   "meta": {"key": "2a", "bits": 3, "of": {"a": true}}})"));
}

TEST(Records, PathsEscapeWhatSeparatesLayers) {
  World world;
  world.add_standard();
  const auto ran = run_everywhere(
      world, {{"a!b", fakes::box("BOXE",
                                 {{"c!d", "1"}, {"e\\f", "2"}, {"", "3"}, {"../../x.TXT", "4"}})}});
  std::vector<std::string> paths;
  for (const auto& record : ran.records) paths.push_back(record["stoq"]["path"]);
  EXPECT_EQ(paths, (std::vector<std::string>{"a\\!b", "a\\!b!c\\!d", "a\\!b!e\\\\f", "a\\!b!#2",
                                             "a\\!b!../../x.TXT"}));
  EXPECT_EQ(ran.records[0]["file"]["path"], "a!b");
  EXPECT_EQ(ran.records[2]["stoq"]["origin"]["member"], "e\\f");
  EXPECT_EQ(ran.records[4]["file"]["name"], "x.TXT");
  EXPECT_EQ(ran.records[4]["file"]["extension"], "txt");
  EXPECT_FALSE(ran.records[3]["file"].contains("name"));
}

/// Any bytes as a name give a valid line, and come back exactly.
TEST(Records, HostileNames) {
  World world;
  world.add_standard();
  const std::string bad("\xff\xfe\x01\"\n\x00\xc3", 7);
  const auto ran = run_everywhere(
      world, {{bad, fakes::box("BOXP", {{bad, "1"}, {std::string(70'000, 'n'), "2"}})},
              {"two\nlines\r{\"a\":1}", "leaf"},
              {"\xe2\x80\xae"
               "exe.txt",
               "leaf"}});
  ASSERT_EQ(ran.records.size(), 5U);
  EXPECT_EQ(std::count(ran.lines.begin(), ran.lines.end(), '\n'), 5);
  for (const char letter : ran.lines) {
    EXPECT_TRUE(letter == '\n' || static_cast<unsigned char>(letter) >= 0x20);
  }
  // base64 of ff fe 01 22 0a 00 c3, by coreutils.
  EXPECT_EQ(ran.records[0]["stoq"]["path_b64"], "//4BIgoAww==");
  EXPECT_EQ(ran.records[0]["stoq"]["name_b64"], "//4BIgoAww==");
  EXPECT_EQ(ran.records[1]["stoq"]["name_b64"], "//4BIgoAww==");
  EXPECT_EQ(ran.records[1]["stoq"]["origin"]["member_b64"], "//4BIgoAww==");
  EXPECT_EQ(ran.records[2]["file"]["name"].get<std::string>().size(), 70'000U);
  EXPECT_EQ(ran.records[3]["file"]["path"], "two\nlines\r{\"a\":1}");
}

/// The first in tree order is opened, though the second is met first by some thread.
TEST(Records, DuplicatesPointToTheFirstInTreeOrder) {
  for (const bool reads_name : {false, true}) {
    World world;
    world.add_standard();
    world.worker(
        "names",
        [reads_name](const Payload& payload, const Request&) {
          // One that says it does not read names must not: else which name shows is left to chance.
          return Value{{"name", reads_name ? payload.name : "any"}};
        },
        reads_name);
    const auto inner = fakes::box("BOXP", {{"x", "leaf x"}, {"y", "leaf y"}});
    const auto ran = run_everywhere(
        world, {{"r", fakes::box("BOXR", {{"deep", fakes::box("BOXR", {{"one", inner}})},
                                          {"two", inner},
                                          {"x2", "leaf x"}})},
                {"s", "leaf x"}});
    EXPECT_EQ(ran.status("r!deep!one"), "ok");
    EXPECT_EQ(ran.status("r!deep!one!x"), "ok");
    EXPECT_EQ(ran.status("r!two"), "duplicate");
    EXPECT_EQ(ran.at("r!two")["stoq"]["duplicate_of"], ran.at("r!deep!one")["stoq"]["id"]);
    EXPECT_EQ(ran.status("r!two!x"), "no record") << "its children stand below the first";
    EXPECT_EQ(ran.at("r!x2")["stoq"]["duplicate_of"], ran.at("r!deep!one!x")["stoq"]["id"]);
    EXPECT_EQ(ran.at("r!deep!one!x")["stoq"]["workers"]["names"]["name"], reads_name ? "x" : "any");
    EXPECT_EQ(ran.status("s"), "ok") << "another root";
    EXPECT_FALSE(ran.at("r!two")["stoq"].contains("workers"));
  }
}

TEST(Records, Quines) {
  World world;
  const auto self = [](const Payload& payload, const Request&, Children& children) {
    children.emit(payload.bytes, {.name = "self"});
    children.emit(Bytes::own(std::string("beside")), {.name = "beside"});
  };
  world.expander(Category::extractor, "self", "SELF", self);
  world.expander(Category::extractor, "ping", "PING",
                 [](const Payload&, const Request&, Children& children) {
                   children.produce({.name = "pong"}, 4,
                                    [](Buffer& buffer) { buffer.append(as_bytes("PONG")); });
                 });
  world.expander(Category::decoder, "pong", "PONG",
                 [](const Payload&, const Request&, Children& children) {
                   children.produce({.name = "ping"}, 4,
                                    [](Buffer& buffer) { buffer.append(as_bytes("PING")); });
                 });
  const auto ran = run_everywhere(world, {{"r", "SELF"}, {"m", "PING"}});
  ASSERT_EQ(ran.records.size(), 6U);
  EXPECT_EQ(ran.status("r!self"), "limit");
  EXPECT_EQ(ran.at("r!self")["stoq"]["errors"][0]["kind"], "quine");
  EXPECT_EQ(ran.at("r!self")["stoq"]["duplicate_of"], ran.at("r")["stoq"]["id"]);
  EXPECT_EQ(ran.status("r!beside"), "ok");
  EXPECT_EQ(ran.status("m!pong"), "ok");
  EXPECT_EQ(ran.status("m!pong!ping"), "limit");
  EXPECT_EQ(ran.at("m!pong!ping")["stoq"]["duplicate_of"], ran.at("m")["stoq"]["id"]);
  EXPECT_EQ(ran.totals.limits.at("quine"), 2U);
}

/// 4 layers of 16 equal members: 69,905 payloads if each were opened, 5 that differ.
TEST(Records, NestOfEqualPayloadsCostsFiveScans) {
  World world;
  world.add_standard();
  std::atomic<int> scans{0};
  world.worker("counts", [&](const Payload&, const Request&) -> Value {
    ++scans;
    return {};
  });
  std::string nest = "leaf";
  for (int layer = 0; layer < 4; ++layer) {
    fakes::Members members;
    for (int i = 0; i < 16; ++i) members.emplace_back("m", nest);
    nest = fakes::box("BOXE", members);
  }
  for (const unsigned threads : {1U, 4U}) {
    scans = 0;
    world.threads = threads;
    const auto ran = world.run({{"r", nest}});
    fakes::expect_conserved(ran, 1);
    EXPECT_EQ(scans, 5);
    EXPECT_EQ(ran.records.size(), 1U + 4U * 16U);
    EXPECT_EQ(ran.count_status("duplicate"), 4U * 15U);
  }
}

TEST(Records, LostAndUndeliveredChildrenAreCounted) {
  World world;
  world.expander(
      Category::extractor, "poor", "POOR", [](const Payload&, const Request&, Children& children) {
        children.declare(5);
        children.emit(Bytes::own(std::string("one")), {.name = "one"});
        children.lost({.name = "two", .encrypted = true}, Status::encrypted, "no password");
      });
  world.expander(Category::extractor, "mute", "MUTE",
                 [](const Payload&, const Request&, Children& children) {
                   children.each(2, [](std::size_t, Children&) {});
                 });
  const auto ran = run_everywhere(world, {{"r", "POOR"}, {"s", "MUTE"}});
  EXPECT_EQ(ran.status("r!two"), "encrypted");
  EXPECT_EQ(ran.at("r!two")["stoq"]["origin"]["encrypted"], true);
  EXPECT_EQ(ran.at("r!two")["stoq"]["errors"][0]["message"], "no password");
  EXPECT_FALSE(ran.at("r!two")["file"].contains("hash"));
  EXPECT_EQ(ran.at("r")["stoq"]["children"],
            fakes::Json::parse(
                R"({"declared":5,"emitted":2,"dropped":[{"limit":"not_found","count":3}]})"));
  EXPECT_EQ(ran.status("r"), "partial");
  EXPECT_EQ(ran.status("s!#0"), "corrupt");
  EXPECT_EQ(ran.status("s!#1"), "corrupt");
}

/// Empty payloads are payloads.
TEST(Records, Empty) {
  World world;
  world.add_standard();
  const auto ran = run_everywhere(world, {{"nothing", ""}, {"r", fakes::box("BOXP", {{"e", ""}})}});
  EXPECT_EQ(ran.count_status("ok"), 3U);
  EXPECT_EQ(ran.at("nothing")["file"]["size"], 0);
  EXPECT_EQ(ran.at("nothing")["file"]["hash"]["sha256"],
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(ran.at("r!e")["file"]["size"], 0);
}

/// A rule's not_from keeps a decoder from its own output for ever; equal bytes from elsewhere are
/// another matter.
TEST(Records, RulesThatSpareProducers) {
  World world;
  world.add_standard();
  world.extra_rules =
      "rule spared { meta: plugin = \"decoder:invert\" not_from = \"decoder:invert\" "
      "strings: $a = \"TURN\" condition: $a at 0 }\n";
  std::string turned;
  for (const char letter : std::string("TURN")) turned += static_cast<char>(~letter);
  const auto ran =
      run_everywhere(world, {{"r", fakes::box("BOXP", {{"inside", fakes::inverted("TURN over")},
                                                       {"beside", "TURN over"}})}});
  EXPECT_FALSE(ran.at("r!inside!#0")["stoq"].contains("dispatch"));
  EXPECT_EQ(ran.at("r!beside")["stoq"]["dispatch"][0], "decoder:invert");
  EXPECT_EQ(ran.status("r!beside!#0"), "ok");
}

}  // namespace
