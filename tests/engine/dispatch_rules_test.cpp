// The shipped rules on first bytes that are hard to tell apart. Payloads and truth come from the
// formats' own descriptions: of LZMA alone xz's doc/lzma-file-format.txt.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/dispatcher.hpp"

namespace {

using namespace std::string_literals;
using stoq::engine::Dispatcher;
using stoq::engine::Plan;

struct RuleCase {
  const char* name;
  std::string bytes;
  const char* type;  ///< empty: no rule may say what it is
};

std::string type_of(const std::string& bytes) {
  static const Dispatcher dispatcher(stoq::engine::dispatch_sources({}));
  Dispatcher::Scanner scanner(dispatcher);
  Plan plan;
  scanner.scan(stoq::as_bytes(bytes), "", plan);
  return std::string(plan.type);
}

/// Headers of both are digits, mostly.
TEST(DispatchRules, CpioIsNotAlsoTar) {
  std::string cpio = "070701" + std::string(94, '0') + "00010000" + std::string(2, '0');
  cpio.resize(600, '0');
  static const Dispatcher dispatcher(stoq::engine::dispatch_sources({}));
  Dispatcher::Scanner scanner(dispatcher);
  Plan plan;
  scanner.scan(stoq::as_bytes(cpio), "", plan);
  const auto opens = [](const auto& call) { return call.target->plugin == "extractor:archive"; };
  EXPECT_EQ(std::count_if(plan.calls.begin(), plan.calls.end(), opens), 1);
  EXPECT_EQ(plan.type, "cpio");
}

std::vector<std::string> plugins_for(const std::string& bytes) {
  static const Dispatcher dispatcher(stoq::engine::dispatch_sources({}));
  Dispatcher::Scanner scanner(dispatcher);
  Plan plan;
  scanner.scan(stoq::as_bytes(bytes), "", plan);
  std::vector<std::string> plugins;
  for (const auto& call : plan.calls) plugins.push_back(call.target->plugin);
  return plugins;
}

/// ISO 32000-1, implementation note 13: the header may stand anywhere in the first 1024 bytes.
TEST(DispatchRules, PdfIsOpenedWhereReadersOpenIt) {
  const auto opens = [](const std::string& bytes) {
    const auto plugins = plugins_for(bytes);
    return std::count(plugins.begin(), plugins.end(), "extractor:pdf");
  };
  const std::string pdf = "%PDF-1.4\n1 0 obj\n";
  EXPECT_EQ(opens(pdf), 1);
  EXPECT_EQ(opens("HTTP/1.1 200 OK\r\n\r\n" + pdf), 1);
  EXPECT_EQ(opens(std::string(1024, '\n') + pdf), 1);
  EXPECT_EQ(opens(std::string(1025, '\n') + pdf), 0);
  EXPECT_EQ(opens(pdf + pdf), 1);
}

/// Members of archives that are not compressed are found in the archive.
TEST(DispatchRules, PdfInAnArchiveIsNotOpenedThere) {
  const std::string pdf = "%PDF-1.4\n1 0 obj\n";
  std::string tar = "a.pdf" + std::string(95, '\0') + "0000644";
  tar.resize(257);
  tar += "ustar";
  tar.resize(512);
  std::string old_tar = tar;
  old_tar.replace(257, 5, 5, '\0');
  for (const auto& before : {"PK\3\4"s + std::string(40, 'x'), tar, old_tar, "!<arch>\n"s,
                             "070701"s + std::string(120, '0'), "WARC/1.0\r\n\r\n"s}) {
    const auto plugins = plugins_for(before + pdf);
    EXPECT_EQ(std::count(plugins.begin(), plugins.end(), "extractor:pdf"), 0)
        << before.substr(0, 8);
  }
}

class RuleTypes : public testing::TestWithParam<RuleCase> {};

TEST_P(RuleTypes, AreAsExpected) { EXPECT_EQ(type_of(GetParam().bytes), GetParam().type); }

/// Properties, a dictionary of 64 KiB, a size, and what every LZMA stream begins with.
std::string lzma(const std::string& properties, const std::string& size) {
  return properties + "\x00\x00\x01\x00"s + size + "\x00\x1f\x8b\x00\x00\x00\x00\x00"s;
}

const auto unknown_size = std::string(8, '\xff');
const auto known_size = "\x00\x00\x01\x00\x00\x00\x00\x00"s;

INSTANTIATE_TEST_SUITE_P(Pdf, RuleTypes,
                         testing::ValuesIn(std::vector<RuleCase>{
                             {"AtTheStart", "%PDF-1.7\n1 0 obj\n"s, "pdf"},
                             {"BehindSomething", "Received: from a\r\n\r\n%PDF-1.7\n1 0 obj\n"s,
                              "pdf"},
                             {"AnotherWord", "%PDX-1.7\n1 0 obj\n"s, ""},
                         }),
                         [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Lzma, RuleTypes,
    testing::ValuesIn(std::vector<RuleCase>{
        {"Usual", lzma("\x5d", known_size), "lzma"},
        {"UsualUnknown", lzma("\x5d", unknown_size), "lzma"},
        {"NoContextBits", lzma("\x00"s, unknown_size), "lzma"},
        {"NoContextBitsKnown", lzma("\x00"s, known_size), ""},
        {"OneContextBit", lzma("\x01", unknown_size), "lzma"},
        {"OneContextBitKnown", lzma("\x01", known_size), ""},
        {"OnePositionBit", lzma("\x09", unknown_size), "lzma"},
        {"OnePositionBitKnown", lzma("\x09", known_size), ""},
        {"HalfUnknown", lzma("\x00"s, std::string(4, '\xff') + std::string(4, '\0')), ""},
        // As .kotlin_builtins begin: how many numbers the version has, and these, big-endian.
        {"KotlinMetadata", "\0\0\0\3\0\0\0\1\0\0\0\0\0\0\0\7\x0a\x12"s, ""},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
