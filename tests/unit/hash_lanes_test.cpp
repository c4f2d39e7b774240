#include "support/hash_lanes.hpp"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/digest.hpp"

namespace {

using stoq::as_bytes;
using stoq::support::Digester;
using stoq::support::HashLanes;
using Algorithm = HashLanes::Algorithm;

struct WayCase {
  const char* name;
  Algorithm algorithm;
  bool sha_instructions;
};

class HashLanesWays : public testing::TestWithParam<WayCase> {};

std::string hex(stoq::ByteView bytes) {
  std::string out;
  stoq::support::append_hex(out, bytes);
  return out;
}

std::string by_openssl(Algorithm algorithm, stoq::ByteView bytes) {
  static Digester all({.md5 = false, .sha1 = true, .sha512 = true});
  const auto digest = all.digest(bytes);
  return algorithm == Algorithm::sha1     ? hex(digest.sha1)
         : algorithm == Algorithm::sha256 ? hex(digest.sha256)
                                          : hex(digest.sha512);
}

// Each way that a processor may take, as far as this one can.
TEST_P(HashLanesWays, AgreeWithOpenssl) {
  const auto& way = GetParam();
  const auto lanes = HashLanes::make(way.algorithm, way.sha_instructions);
  if (!lanes) GTEST_SKIP() << "not in this build, or not on this processor";
  EXPECT_GE(lanes->least(), 2U);
  const auto digest_size = by_openssl(way.algorithm, {}).size() / 2;
  std::minstd_rand random(5);
  std::string pool(HashLanes::longest + 1000, '\0');
  for (auto& byte : pool) byte = static_cast<char>(random());
  for (const std::size_t count : {1U, 2U, 3U, 17U, 301U}) {
    std::vector<std::array<std::byte, 64>> digests(count);
    std::vector<HashLanes::Message> messages;
    for (std::size_t i = 0; i < count; ++i) {
      const auto size = count == 301 ? i : random() % (HashLanes::longest + 1);
      messages.push_back({as_bytes(pool).subspan(random() % 1000, size), digests[i].data()});
    }
    lanes->digest(messages);
    for (const auto& message : messages) {
      ASSERT_EQ(hex({message.digest, digest_size}), by_openssl(way.algorithm, message.bytes))
          << message.bytes.size() << " bytes, one of " << count;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, HashLanesWays,
                         testing::ValuesIn(std::vector<WayCase>{
                             {"Sha1", Algorithm::sha1, true},
                             {"Sha1WithoutInstructions", Algorithm::sha1, false},
                             {"Sha256", Algorithm::sha256, true},
                             {"Sha256WithoutInstructions", Algorithm::sha256, false},
                             {"Sha512", Algorithm::sha512, true},
                         }),
                         [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
