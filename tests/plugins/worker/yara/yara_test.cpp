// What the table of truth.jsonl cannot say: the words of errors, a request to stop, and what
// becomes of its cases once so much was searched that Hyperscan helps.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "plugins/loaded_plugin.hpp"
#include "plugins/truth.hpp"

namespace {

using stoq::testing::LoadedPlugin;
using stoq::testing::PluginPlace;
using stoq::testing::TruthCase;

const PluginPlace& place() {
  static const PluginPlace yara{"worker", "yara"};
  return yara;
}

std::string refusal(const stoq::Options::Map& options) {
  try {
    const LoadedPlugin plugin(place(), options);
  } catch (const stoq::ConfigError& error) {
    return error.what();
  }
  return "none";
}

TEST(YaraWorker, NamesEveryErrorOfEveryFile) {
  const auto message = refusal({{"rules_list", (place().tests() / "bad").string()}});
  EXPECT_NE(message.find("one.yar:2: undefined string \"$missing\""), message.npos) << message;
  EXPECT_NE(message.find("two.yar:1: unknown module \"no_such_module\""), message.npos) << message;
}

TEST(YaraWorker, SaysHowToGiveRules) {
  EXPECT_NE(refusal({}).find("--rules FILE|DIR"), std::string::npos);
}

TEST(YaraWorker, SaysWhatToDoWithStaleCompiledRules) {
  const auto old = (place().tests() / "compiled" / "old.yrc").string();
  EXPECT_NE(refusal({{"rules_list", old}}).find("compile it anew with yarac"), std::string::npos);
}

TEST(YaraWorker, StopsWhenAsked) {
  const LoadedPlugin plugin(place(),
                            {{"rules_list", (place().tests() / "rules" / "a_basic.yar").string()}});
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(std::string("hello"));
  const auto& worker = plugin.as<stoq::Worker>();
  EXPECT_FALSE(worker.scan(payload, {}).is_null());
  const stoq::Value none;
  const stoq::Request stopped(
      none, [](const void*) noexcept { return true; }, nullptr);
  EXPECT_TRUE(worker.scan(payload, stopped).is_null());
}

TEST(YaraWorker, MatchesAgainAfterAStop) {
  const LoadedPlugin plugin(place(),
                            {{"rules_list", (place().tests() / "rules" / "a_basic.yar").string()}});
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(std::string("hello"));
  const auto& worker = plugin.as<stoq::Worker>();
  const stoq::Value none;
  const stoq::Request stopped(
      none, [](const void*) noexcept { return true; }, nullptr);
  (void)worker.scan(payload, stopped);
  const auto result = worker.scan(payload, {});
  const auto* matches = result["matches"].get_if<stoq::Value::Array>();
  ASSERT_NE(matches, nullptr);
  ASSERT_EQ(matches->size(), 1U);
  EXPECT_EQ(matches->front().text("rule"), "text_words");
}

/// The line of the log that tells how strings are searched for; empty: there is none.
std::string told(LoadedPlugin& plugin) {
  const auto lines = plugin.host().lines();
  const auto found = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("Hyperscan") != line.npos || line.find("every byte") != line.npos;
  });
  return found == lines.end() ? std::string() : *found;
}

/// Lets it search until it has decided how.
std::string warm_up(LoadedPlugin& plugin) {
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(std::string(std::size_t{1} << 20, '.'));
  for (int i = 0; i < 64 && told(plugin).empty(); ++i) {
    (void)plugin.as<stoq::Worker>().scan(payload, {});
  }
  return told(plugin);
}

/// The cases that match something to something, by their options: one plugin goes through them.
std::map<stoq::Options::Map, std::vector<TruthCase>> cases_by_options() {
  std::map<stoq::Options::Map, std::vector<TruthCase>> cases;
  for (auto& test : read_truth(place())) {
    if (test.truth.contains("throws")) continue;
    auto& group = cases[case_options(test)];
    group.push_back(std::move(test));
  }
  return cases;
}

TEST(YaraWorker, MatchesTheSameOnceHyperscanHelps) {
  for (const auto& [options, cases] : cases_by_options()) {
    LoadedPlugin plugin(place(), options);
    const bool everywhere = options.at("rules_list").ends_with("everywhere.yar");
    EXPECT_EQ(warm_up(plugin).find("Hyperscan looks for") == std::string::npos, everywhere)
        << options.at("rules_list");
    for (const auto& test : cases) {
      const auto wrong = differences(run_case(plugin, test), test.truth);
      EXPECT_TRUE(wrong.empty()) << testing::PrintToString(test) << ": "
                                 << testing::PrintToString(wrong);
    }
  }
}

TEST(YaraWorker, SaysOfWhichRulesLibyaraMustSeeAll) {
  struct Case {
    const char *rules, *told;
  };
  for (const auto& [rules, words] :
       {Case{"strings", "needles of 1 of 1 rule sets"},
        Case{"rules/c_mixed.yar", "for 0 needles of 1 of 1 rule sets"},
        Case{"together/everywhere.yar", "libyara searches every byte itself"},
        Case{"compiled/strings.yrc", "needles of 1 of 1 rule sets"}}) {
    LoadedPlugin plugin(place(), {{"rules_list", (place().tests() / rules).string()}});
    EXPECT_NE(warm_up(plugin).find(words), std::string::npos) << rules << ": " << told(plugin);
  }
}

TEST(YaraWorker, DoesNotPrepareHyperscanForLittle) {
  LoadedPlugin plugin(place(), {{"rules_list", (place().tests() / "strings").string()}});
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(std::string("needle in a haystack"));
  (void)plugin.as<stoq::Worker>().scan(payload, {});
  EXPECT_EQ(told(plugin), "");
}

}  // namespace
