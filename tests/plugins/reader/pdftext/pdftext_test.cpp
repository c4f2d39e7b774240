// What the PDFs of input/ say, word by word; what those of hostile/ must not do.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "plugins/truth.hpp"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using stoq::testing::LoadedPlugin;
using stoq::testing::PluginPlace;

const PluginPlace pdftext{"reader", "pdftext"};

class PdfText : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(pdftext.library())) GTEST_SKIP() << "reader:pdftext was left out of this build";
  }
};

stoq::Value read(const LoadedPlugin& plugin, const fs::path& file, const stoq::Value& args = {}) {
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(stoq::testing::read_file(file));
  return plugin.as<stoq::Reader>().read(payload, stoq::Request(args, nullptr, nullptr));
}

std::vector<std::string> words(std::string_view text) {
  std::istringstream in{std::string(text)};
  std::vector<std::string> list;
  for (std::string word; in >> word;) list.push_back(word);
  return list;
}

TEST_F(PdfText, IsWhatMutoolReads) {
  const LoadedPlugin plugin(pdftext);
  const stoq::Value args{{"pdf_password", "s3cret"}};
  const auto truth = Json::parse(stoq::testing::read_file(pdftext.tests() / "words.json"));
  ASSERT_GT(truth.size(), 15U);
  for (const auto& [file, must] : truth.items()) {
    SCOPED_TRACE(file);
    const auto result = read(plugin, pdftext.input(file), args);
    EXPECT_EQ(words(result.text("text")), must.get<std::vector<std::string>>());
  }
}

TEST_F(PdfText, OfHostileFilesEndsAndTheNextIsRead) {
  const LoadedPlugin plugin(pdftext, {{"timeout", "2"}, {"max_memory", "256M"}});
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(pdftext.tests() / "hostile")) {
    SCOPED_TRACE(entry.path());
    ++files;
    try {
      const auto result = read(plugin, entry.path());
      EXPECT_FALSE(result.is_null());
    } catch (const stoq::MalformedInput& error) {
      EXPECT_STRNE(error.what(), "");
    }
    auto next = read(plugin, pdftext.input("flate.pdf"));
    // Only a machine that stands still makes it take two seconds.
    for (int i = 0; i < 20 && next.text("error").find("`timeout`") != std::string::npos; ++i) {
      next = read(plugin, pdftext.input("flate.pdf"));
    }
    EXPECT_FALSE(next.text("text").empty()) << next.text("error");
  }
  EXPECT_GT(files, 5U);
}

TEST_F(PdfText, OfAReaderThatFailsIsAnError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers need more addresses than any limit leaves";
#endif
  const LoadedPlugin plugin(pdftext, {{"max_memory", "1M"}});
  const auto result = read(plugin, pdftext.input("flate.pdf"));
  EXPECT_NE(result.text("error"), "");
  EXPECT_NE(result.text("error").find("read are 0 of 0 pages"), std::string::npos)
      << result.text("error");
}

TEST_F(PdfText, EndsWhenItIsAskedToStop) {
  const LoadedPlugin plugin(pdftext, {{"timeout", "600"}});
  stoq::Payload payload;
  payload.bytes =
      stoq::Bytes::own(stoq::testing::read_file(pdftext.tests() / "hostile" / "endless-text.pdf"));
  const stoq::Value args;
  const stoq::Request request(
      args, [](const void*) noexcept { return true; }, nullptr);
  EXPECT_TRUE(plugin.as<stoq::Reader>().read(payload, request).is_null());
}

}  // namespace
