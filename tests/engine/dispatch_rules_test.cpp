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

class RuleTypes : public testing::TestWithParam<RuleCase> {};

TEST_P(RuleTypes, AreAsExpected) { EXPECT_EQ(type_of(GetParam().bytes), GetParam().type); }

/// Properties, a dictionary of 64 KiB, a size, and what every LZMA stream begins with.
std::string lzma(const std::string& properties, const std::string& size) {
  return properties + "\x00\x00\x01\x00"s + size + "\x00\x1f\x8b\x00\x00\x00\x00\x00"s;
}

const auto unknown_size = std::string(8, '\xff');
const auto known_size = "\x00\x00\x01\x00\x00\x00\x00\x00"s;

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
