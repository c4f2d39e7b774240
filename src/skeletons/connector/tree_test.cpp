#include <filesystem>

#include <gtest/gtest.h>

#include "plugins/loaded_plugin.hpp"
#include "plugins/truth.hpp"

namespace {

using stoq::testing::LoadedPlugin;
using stoq::testing::PluginPlace;

const PluginPlace place{"template_category", "template_name"};

TEST(TemplateClass, WritesWhatItIsGiven) {
  const auto path = std::filesystem::path(testing::TempDir()) / "template_name.jsonl";
  const LoadedPlugin plugin(place, {{"path", path.string()}});
  auto& connector = plugin.as<stoq::Connector>();
  connector.connect({.results = true});
  connector.save("{\"a\":1}\n{\"a\":2}\n", 2);
  connector.save("{\"a\":3}\n", 1);
  connector.disconnect();
  EXPECT_EQ(stoq::testing::read_file(path), "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  std::filesystem::remove(path);
}

TEST(TemplateClass, SaysThatItCannotWrite) {
  const LoadedPlugin plugin(place, {{"path", "/no/such/folder/results.jsonl"}});
  EXPECT_THROW(plugin.as<stoq::Connector>().connect({.results = true}), stoq::IoError);
}

}  // namespace
