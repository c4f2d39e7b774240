// What the table of truth.jsonl cannot say: the words of errors, and a request to stop.
#include <string>

#include <gtest/gtest.h>

#include "plugins/loaded_plugin.hpp"

namespace {

using stoq::testing::LoadedPlugin;
using stoq::testing::PluginPlace;

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

}  // namespace
