#include "support/text.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace {

// The table of all forms is in options_test: both read sizes alike.
TEST(Text, ParsesSizes) {
  EXPECT_EQ(stoq::support::parse_size("1.5G"), 1610612736U);
  EXPECT_EQ(stoq::support::parse_size("64KiB"), 65536U);
  EXPECT_EQ(stoq::support::parse_size("1000"), 1000U);
  EXPECT_EQ(stoq::support::parse_size("lots"), std::nullopt);
}

TEST(Text, FormatsSizes) {
  const std::vector<std::pair<std::uint64_t, const char*>> cases{
      {0, "0 B"},
      {312, "312 B"},
      {1023, "1023 B"},
      {1024, "1.0 KiB"},
      {1536, "1.5 KiB"},
      {1024 * 1024 - 1, "1.0 MiB"},
      {1024 * 1000, "1000.0 KiB"},
      {1503238553, "1.4 GiB"},
      {std::uint64_t{1} << 40U, "1.0 TiB"},
      {std::uint64_t{3} << 50U, "3.0 PiB"},
      {std::numeric_limits<std::uint64_t>::max(), "16.0 EiB"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(stoq::support::format_size(bytes), text);
}

TEST(Text, WhatIsFormattedParses) {
  for (const std::uint64_t bytes : {1ULL, 512ULL, 1024ULL, 1ULL << 30U, 3ULL << 50U}) {
    EXPECT_EQ(stoq::support::parse_size(stoq::support::format_size(bytes)), bytes);
  }
}

struct NearestCase {
  const char *word, *nearest;
};

TEST(Text, FindsTheNameThatWasMeant) {
  const std::vector<std::string> names{"zip", "entropy", "mimetype", "yara", "filedir", "base64"};
  const std::vector<NearestCase> cases{{"entropi", "entropy"},
                                       {"entropy", "entropy"},
                                       {"netropy", "entropy"},
                                       {"yar", "yara"},
                                       {"yaar", "yara"},
                                       {"zp", "zip"},
                                       {"bas64", "base64"},
                                       {"mime-type", "mimetype"},
                                       {"fildeir", "filedir"},
                                       {"hash", ""},
                                       {"", ""},
                                       {"completely", ""},
                                       {"xyz", ""}};
  for (const auto& [word, nearest] : cases) {
    EXPECT_EQ(stoq::support::nearest(word, names), nearest) << word;
  }
  EXPECT_EQ(stoq::support::nearest("zip", {}), "");
}

TEST(Text, TheFirstOfEquallyNearNamesIsTaken) {
  EXPECT_EQ(stoq::support::nearest("cat", {"bat", "rat"}), "bat");
}

TEST(Text, OneLine) {
  using stoq::support::one_line;
  EXPECT_EQ(one_line("plain \xc3\xa9\xff \\"), "plain \xc3\xa9\xff \\");
  EXPECT_EQ(one_line(std::string("a\nb\r\x1b[2J\x7f\0", 10)), "a\\x0ab\\x0d\\x1b[2J\\x7f\\x00");
}

}  // namespace
