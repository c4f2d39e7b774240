#include "engine/plugin_library.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

fs::path fixture(const std::string& name) { return fs::path(STOQ_FIXTURES) / (name + ".so"); }

std::string content(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The message with which the library is refused; empty when it is not.
std::string refusal(const fs::path& path) {
  try {
    const stoq::engine::PluginLibrary library(path);
    return {};
  } catch (const stoq::Error& error) {
    return error.what();
  }
}

class PluginLibrary : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("STOQ_FIXTURE_RAN");
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) /
              ("stoq_plugin_library_" + std::string(test->name()) + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

 private:
  fs::path folder_;
};

TEST_F(PluginLibrary, LoadsAndMakesInstances) {
  const stoq::engine::PluginLibrary library(fixture("good"));
  EXPECT_EQ(library.category(), stoq::Category::worker);
  EXPECT_NE(getenv("STOQ_FIXTURE_RAN"), nullptr) << "the mark that the other tests look for";
  const auto one = library.create();
  const auto other = library.create();
  ASSERT_NE(one, nullptr);
  EXPECT_NE(one, other);
  const auto* worker = dynamic_cast<const stoq::Worker*>(one.get());
  ASSERT_NE(worker, nullptr);
  const stoq::Payload payload{stoq::Bytes::own(std::string("abc")), "name", {}, 0};
  EXPECT_EQ(worker->scan(payload, {}).integer("size"), 3);
}

TEST_F(PluginLibrary, FindsALibraryByARelativeName) {
  fs::current_path(STOQ_FIXTURES);
  EXPECT_EQ(refusal("good.so"), "");
}

TEST_F(PluginLibrary, InstancesOutliveTheLibraryObject) {
  std::unique_ptr<stoq::Plugin> plugin;
  {
    const stoq::engine::PluginLibrary library(fixture("good"));
    plugin = library.create();
  }
  EXPECT_FALSE(plugin->wants_heartbeat());
}

struct Refused {
  const char* name;
  std::vector<std::string> says;
};

class RefusedLibrary : public PluginLibrary, public testing::WithParamInterface<Refused> {};

TEST_P(RefusedLibrary, BeforeItsCodeRuns) {
  const auto path = fixture(GetParam().name);
  ASSERT_TRUE(fs::exists(path));
  const auto message = refusal(path);
  EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  for (const auto& part : GetParam().says) EXPECT_NE(message.find(part), message.npos) << message;
  EXPECT_EQ(getenv("STOQ_FIXTURE_RAN"), nullptr) << "a static constructor ran";
}

INSTANTIATE_TEST_SUITE_P(
    Each, RefusedLibrary,
    testing::Values(Refused{"wrong_magic", {"not a stoq plugin", "STOQ_PLUGIN"}},
                    Refused{"no_descriptor", {"not a stoq plugin", "STOQ_PLUGIN"}},
                    Refused{"wrong_abi",
                            {"interface 4711", "fixture compiler 1.2",
                             "this stoq has " + std::to_string(stoq::abi_version), "build it"}},
                    Refused{"wrong_layout",
                            {"standard library", "fixture compiler 1.2", "build it again"}},
                    Refused{"wrong_category", {"damaged", "build it again"}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(PluginLibrary, RefusesWhatIsNotThere) {
  const auto message = refusal("/nonexistent/none.so");
  EXPECT_EQ(message,
            "/nonexistent/none.so: plugin cannot be read: No such file or directory; build or "
            "install it again, or let this user read it");
}

TEST_F(PluginLibrary, RefusesWhatIsNoLibrary) {
  const auto good = content(fixture("good"));
  auto narrow = good;
  narrow[4] = 1;  // EI_CLASS: 32 bits
  auto foreign = good;
  foreign[18] = 8;  // e_machine: MIPS
  for (const auto& bytes : {std::string(),
                            std::string("\x7f"
                                        "ELF"),
                            std::string("#!/bin/sh\n"), std::string(4096, '\0'), narrow, foreign}) {
    const auto path = write("none.so", bytes);
    const auto message = refusal(path);
    EXPECT_TRUE(message.starts_with(path.string())) << message;
    EXPECT_EQ(message.find('\n'), message.npos) << message;
  }
  EXPECT_NE(refusal(testing::TempDir()), "") << "a folder";
  EXPECT_EQ(getenv("STOQ_FIXTURE_RAN"), nullptr);
}

TEST_F(PluginLibrary, RefusesALibraryCutShort) {
  const auto good = content(fixture("good"));
  ASSERT_GT(good.size(), 64U);
  for (std::size_t step = 0; step < 64; ++step) {
    const auto size = step < 32 ? 2 * step : good.size() * (step - 31) / 33;
    EXPECT_NE(refusal(write("cut" + std::to_string(step) + ".so", good.substr(0, size))), "")
        << size << " of " << good.size() << " bytes";
  }
  EXPECT_NE(refusal(write("last.so", good.substr(0, good.size() - 1))), "");
  EXPECT_EQ(getenv("STOQ_FIXTURE_RAN"), nullptr) << "a static constructor ran";
}

TEST_F(PluginLibrary, RefusesTablesThatPointAnywhere) {
  const auto good = content(fixture("good"));
  // e_shoff, and each of the fields of the ELF header that count or place entries.
  const std::vector<std::pair<std::size_t, std::size_t>> fields{
      {0x20, 8}, {0x28, 8}, {0x38, 2}, {0x3c, 2}};
  for (const auto& [offset, size] : fields) {
    auto bytes = good;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), size, '\xff');
    EXPECT_NE(refusal(write("table" + std::to_string(offset) + ".so", bytes)), "") << offset;
  }
  EXPECT_EQ(getenv("STOQ_FIXTURE_RAN"), nullptr) << "a static constructor ran";
}

}  // namespace
