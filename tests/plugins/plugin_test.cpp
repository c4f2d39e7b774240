// Runs every plugin of the source tree over the files and the truth in
// tests/plugins/<category>/<name>/: see truth.hpp.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "plugins/truth.hpp"

namespace {

namespace fs = std::filesystem;
using stoq::testing::LoadedPlugin;
using stoq::testing::PluginPlace;
using stoq::testing::TruthCase;

std::string identifier(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return text;
}

/// The input files, by their paths below input/.
std::vector<std::string> input_files(const PluginPlace& place) {
  std::vector<std::string> files;
  const auto folder = place.input();
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) files.push_back(entry.path().lexically_relative(folder).string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// The text of the plugin's own *_test.cpp files.
std::string own_tests(const PluginPlace& place) {
  std::string text;
  if (!fs::is_directory(place.tests())) return text;
  for (const auto& entry : fs::directory_iterator(place.tests())) {
    if (entry.path().filename().string().ends_with("_test.cpp")) {
      text += stoq::testing::read_file(entry.path());
    }
  }
  return text;
}

/// The first case that can be used for the input, or an empty one.
TruthCase case_for(const PluginPlace& place, const std::string& file) {
  for (auto& test : read_truth(place)) {
    if (test.error.empty() && test.truth.value("input", "") == file &&
        test.truth.value("throws", "") != "config") {
      return test;
    }
  }
  TruthCase test{place, 0, stoq::testing::Json::object(), {}};
  test.truth["input"] = file;
  return test;
}

class EveryPlugin : public testing::TestWithParam<PluginPlace> {
 protected:
  [[nodiscard]] static const PluginPlace& place() { return GetParam(); }
  [[nodiscard]] static bool takes_payloads() {
    return place().category != "source" && place().category != "connector";
  }
  /// The options of the first case: what the plugin needs in order to be activated.
  [[nodiscard]] static stoq::Options::Map needed_options() {
    for (const auto& test : read_truth(place())) {
      if (test.error.empty() && test.truth.value("throws", "") != "config") {
        return case_options(test);
      }
    }
    return {};
  }
};

TEST_P(EveryPlugin, IsBuiltAsItsCategory) {
  const stoq::engine::PluginLibrary library(place().library());
  EXPECT_EQ(to_string(library.category()), place().category);
  EXPECT_NE(library.create(), nullptr);
}

TEST_P(EveryPlugin, HasItsConfiguration) {
  const auto ini = stoq::support::Ini::read(place().stoq());
  EXPECT_EQ(ini.get("Core", "name"), place().name);
  EXPECT_EQ(ini.get("Core", "module"), place().name);
  for (const auto* key : {"author", "version", "website", "description"}) {
    EXPECT_NE(ini.get("Documentation", key), "") << key;
  }
  for (const auto& [name, section] : ini.sections()) {
    const bool is_known = name == "Core" || name == "Documentation" || name == "options" ||
                          (name == "arguments" && place().category == "worker");
    EXPECT_TRUE(is_known) << name;
  }
}

TEST_P(EveryPlugin, DeclaresItsOptions) {
  const auto options = read_options(place(), needed_options());
  for (const auto& key : options.unknown()) {
    ADD_FAILURE() << key << " is set in the .stoq file, and activate() does not read it";
  }
  for (const auto& declared : options.declared()) {
    EXPECT_NE(declared.help, "") << declared.key;
  }
}

TEST_P(EveryPlugin, HasTests) {
  const bool has_inputs = !input_files(place()).empty();
  const bool has_cases = !read_truth(place()).empty();
  if (takes_payloads()) {
    EXPECT_TRUE(has_inputs) << place().input() << " needs a file";
    EXPECT_TRUE(has_cases) << place().tests() / "truth.jsonl"
                           << " needs a case";
  } else {
    EXPECT_TRUE((has_inputs && has_cases) || !own_tests(place()).empty())
        << place().tests() << " needs input/ and truth.jsonl, or a *_test.cpp";
  }
}

TEST_P(EveryPlugin, HasACaseForEveryInput) {
  const auto tests = own_tests(place());
  std::string missing;
  std::set<std::string> used;
  for (const auto& test : read_truth(place())) used.insert(test.truth.value("input", ""));
  for (const auto& file : input_files(place())) {
    // A case of a source may name the folder.
    const bool in_folder =
        !takes_payloads() && std::any_of(used.begin(), used.end(), [&](const std::string& folder) {
          return folder == "." || file.starts_with(folder + "/");
        });
    const bool in_test = tests.find(fs::path(file).filename().string()) != tests.npos;
    if (!used.contains(file) && !in_folder && !in_test) missing += "\n  " + file;
  }
  EXPECT_EQ(missing, "") << "files that no case names";
}

/// Drops what it is given once it is much: mutated input must not fill the memory of a test.
class BoundedCollector : public stoq::testing::Collector {
 public:
  BoundedCollector() : Collector(std::size_t{8} << 20U) {}
  void emit(stoq::Bytes bytes, stoq::ChildInfo info) override {
    count(bytes.size());
    Collector::emit(std::move(bytes), std::move(info));
  }
  bool produce(stoq::ChildInfo info, std::uint64_t expected, Fill fill) override {
    const bool made = Collector::produce(std::move(info), expected, fill);
    count(children.empty() ? 0 : children.back().bytes.size());
    return made;
  }
  void each(std::size_t count_of_members, Member member) override {
    declare(count_of_members);
    for (std::size_t i = 0; i < count_of_members; ++i) {
      count(0);
      member(i, *this);
    }
  }
  void lost(stoq::ChildInfo info, stoq::Status status, std::string_view message) override {
    count(0);
    Collector::lost(std::move(info), status, message);
  }

 private:
  void count(std::size_t size) {
    bytes_ += size;
    if (++calls_ > 100'000) throw stoq::LimitReached{"children"};
    if (bytes_ > std::size_t{64} << 20U) throw stoq::LimitReached{"root_bytes"};
  }
  std::size_t calls_ = 0;
  std::size_t bytes_ = 0;
};

/// Any exception but a stoq::Error or LimitReached passes and fails the test.
void run_mutated(const LoadedPlugin& plugin, const TruthCase& test, std::string_view bytes) {
  BoundedCollector collector;
  const auto outcome = run_bytes(plugin, test, bytes, collector);
  for (const auto& child : outcome.children) {
    EXPECT_LE(child.bytes.size(), collector.max_child_bytes());
  }
}

TEST_P(EveryPlugin, SurvivesInputCutShort) {
  if (!takes_payloads()) GTEST_SKIP() << "takes no payload";
  for (const auto& file : input_files(place())) {
    const auto test = case_for(place(), file);
    const LoadedPlugin plugin(place(), case_options(test));
    const auto bytes = stoq::testing::read_file(place().input(file));
    for (std::size_t cut = 0; cut < 16; ++cut) {
      const auto size = bytes.size() * cut / 16;
      // Printed before, so that the log of a crash ends with it.
      std::clog << file << " cut to " << size << '\n';
      SCOPED_TRACE(file + " cut to " + std::to_string(size));
      EXPECT_NO_THROW(run_mutated(plugin, test, std::string_view(bytes).substr(0, size)));
    }
  }
}

TEST_P(EveryPlugin, SurvivesFlippedBytes) {
  if (!takes_payloads()) GTEST_SKIP() << "takes no payload";
  for (const auto& file : input_files(place())) {
    const auto test = case_for(place(), file);
    const LoadedPlugin plugin(place(), case_options(test));
    const auto bytes = stoq::testing::read_file(place().input(file));
    if (bytes.empty()) continue;
    // The head's bytes, where formats keep their sizes, then all over the file.
    std::uint32_t random = 0x2545f491;
    for (std::size_t flip = 0; flip < 32; ++flip) {
      random = random * 1664525U + 1013904223U;
      const auto range = std::min<std::size_t>(bytes.size(), flip < 12 ? 64 : bytes.size());
      const auto at = (random >> 8U) % range;
      auto mutated = bytes;
      mutated[at] = static_cast<char>(mutated[at] ^ (flip % 3 == 0 ? 0xff : 1 << (flip % 8)));
      std::clog << file << " with byte " << at << " as "
                << static_cast<int>(static_cast<unsigned char>(mutated[at])) << '\n';
      SCOPED_TRACE(file + " with byte " + std::to_string(at) + " flipped");
      EXPECT_NO_THROW(run_mutated(plugin, test, mutated));
    }
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryPlugin);
INSTANTIATE_TEST_SUITE_P(All, EveryPlugin, testing::ValuesIn(stoq::testing::all_plugins()),
                         [](const auto& test) {
                           return identifier(test.param.category + "_" + test.param.name);
                         });

std::vector<TruthCase> all_cases() {
  std::vector<TruthCase> cases;
  for (const auto& place : stoq::testing::all_plugins()) {
    for (auto& test : read_truth(place)) cases.push_back(std::move(test));
  }
  return cases;
}

class EveryCase : public testing::TestWithParam<TruthCase> {};

TEST_P(EveryCase, Holds) {
  const auto& test = GetParam();
  SCOPED_TRACE((test.place.tests() / "truth.jsonl").string() + ":" + std::to_string(test.line));
  ASSERT_EQ(test.error, "");
  if (is_left_out(test)) GTEST_SKIP() << test.truth["needs"] << " was left out of the build";
  if (test.truth.value("throws", "") == "config") {
    EXPECT_THROW(LoadedPlugin(test.place, case_options(test)), stoq::ConfigError);
    return;
  }
  const LoadedPlugin plugin(test.place, case_options(test));
  EXPECT_TRUE(plugin.options().unknown().empty()) << plugin.options().unknown().front();
  for (const auto& difference : differences(run_case(plugin, test), test.truth)) {
    ADD_FAILURE() << difference;
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryCase);
INSTANTIATE_TEST_SUITE_P(All, EveryCase, testing::ValuesIn(all_cases()), [](const auto& test) {
  const auto name = test.param.truth.is_object() ? test.param.truth.value("name", "") : "";
  return identifier(test.param.place.category + "_" + test.param.place.name + "_" +
                    std::to_string(test.param.line) + "_" + name);
});

}  // namespace
