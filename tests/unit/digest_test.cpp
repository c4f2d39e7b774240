#include "support/digest.hpp"

#include <cstddef>
#include <cstdio>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>

namespace {

using namespace std::string_literals;
using stoq::as_bytes;
using stoq::support::Digester;
using stoq::support::DigestResult;
using stoq::support::DigestSet;

std::string hex(stoq::ByteView bytes) {
  std::string out;
  stoq::support::append_hex(out, bytes);
  return out;
}

/// 0, 1 … 250, 0, 1 …
std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i % 251);
  return text;
}

struct DigestCase {
  std::string bytes;
  const char *md5, *sha1, *sha256, *sha512;
};

// The first five are NIST's examples (FIPS 180), the others stand at the edges of hash blocks and
// of our own. All digests by GNU coreutils: md5sum, sha1sum, sha256sum, sha512sum.
std::vector<DigestCase> digest_cases() {
  return {
      {""s, "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
       "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
       "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877"
       "eec2f63b931bd47417a81a538327af927da3e"},
      {"abc"s, "900150983cd24fb0d6963f7d28e17f72", "a9993e364706816aba3e25717850c26c9cd0d89d",
       "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3f"
       "eebbd454d4423643ce80e2a9ac94fa54ca49f"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"s,
       "8215ef0796a20bcaaae116d3876c664a", "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
       "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9aa1d3bea577"
       "89ca031ad85c7a71dd70354ec631238ca3445"},
      {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"s,
       "03dd8807a93175fb062dfb55dc7d359c", "a49b2446a02c645bf419f995b67091253a04a259",
       "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1",
       "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b"
       "5433ac7d329eeb6dd26545e96e55b874be909"},
      {std::string(1'000'000, 'a'), "7707d6ae4e027c70eea2a935c2296f21",
       "34aa973cd4c4daa4f61eeb2bdbad27316534016f",
       "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
       "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce57"
       "7c31beb009c5c2c49aa2e4eadb217ad8cc09b"},
      {pattern(55), "6912ee65fff2d9f9ce2508cddf8bcda0", "8ae2d46729cfe68ff927af5eec9c7d1b66d65ac2",
       "463eb28e72f82e0a96c0a4cc53690c571281131f672aa229e0d45ae59b598b59",
       "6856647f269c2ee3d8128f0b25427659d880641ef343300dd3cd4679168f58d6527fda70b4ebc854e2065e172b7"
       "d58c1536992c0810599259ba84a2b40c65414"},
      {pattern(56), "51fdd1acda72405dfdfa03fcb85896d7", "636e2ec698dac903498e648bd2f3af641d3c88cb",
       "da2ae4d6b36748f2a318f23e7ab1dfdf45acdc9d049bd80e59de82a60895f562",
       "8b12b2f6fe400a51d29656e2b8c42a1bbfe6fcf3e425da430db05d1a2dda14790dee20fa8b22d8762afffe4988a"
       "5c98a4430d22a17e41e23d90fa61ab75671a9"},
      {pattern(63), "48a6295221902e8e0938f773a7185e72", "6d942da0c4392b123528f2905c713a3ce28364bd",
       "29af2686fd53374a36b0846694cc342177e428d1647515f078784d69cdb9e488",
       "9dc9c5598e55dc42955695320839788e353f1d7f6ba74df74c80a8a52f463c0697f57f68835d1418f4ce9b6530c"
       "d79bd0f4c6f7e13c93feb1218c0b65c2c0561"},
      {pattern(64), "b2d3f56bc197fd985d5965079b5e7148", "c6138d514ffa2135bfce0ed0b8fac65669917ec7",
       "fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108",
       "ee4320ebaf3fdb4f2c832b137200c08e235e0fa7bbd0eb1740c7063ba8a0d151da77e003398e1714a955d475b05"
       "e3e950b639503b452ec185de4229bc4873949"},
      {pattern(111), "4fad3ab7d8546851ec1bb63ea7e6f5a8", "bc544e24573d592290fdaff8ecf3f7f2b00cd483",
       "60780e9451bdc43cf4530ffc95cbb0c4eb24dae2c39f55f334d679e076c08065",
       "a1a111449b198d9b1f538bad7f3fc1022b3a5b1a5e90a0bc860de8512746cbc31599e6c834de3a3235327af0b51"
       "ff57bf7acf1974a73014d9c3953812edc7c8d"},
      {pattern(112), "d1fec2ac3715e791ca5f489f300381b3", "e4ce142d09a84a8645338dd6535cbfaaf800d320",
       "09373f127d34e61dbbaa8bc4499c87074f2ddb10e1b465f506d7d70a15011979",
       "c5fbd731d19d2ae1180f001be72c2c1aaba1d7b094b3748880e24593b8e117a750e11c1bd867cc2f96dace8c8b7"
       "4abd2d5c4f236be444e77d30d1916174070b9"},
      {pattern(127), "8402b21e7bc7906493bae0dac017f1f9", "89d7312a903f65cd2b3e34a975e55dbea9033353",
       "92ca0fa6651ee2f97b884b7246a562fa71250fedefe5ebf270d31c546bfea976",
       "eab89674feaa34e27aebeeff3c0a4d70070bb872d5e9f186cf1dbbdee517b6e35724d629ff025a5b07185e911ad"
       "a7e3c8acf830aa0e4f71777bd2d44f504f7f0"},
      {pattern(128), "37eff01866ba3f538421b30b7cbefcac", "e6434bc401f98603d7eda504790c98c67385d535",
       "471fb943aa23c511f6f72f8d1652d9c880cfa392ad80503120547703e56a2be5",
       "1dffd5e3adb71d45d2245939665521ae001a317a03720a45732ba1900ca3b8351fc5c9b4ca513eba6f80bc7b1d1"
       "fdad4abd13491cb824d61b08d8c0e1561b3f7"},
      {pattern(131071), "223875284e7c3a46aa774f01aaec5489",
       "d3ed62692d1436fc246362ffc6e8c057c82daef9",
       "de222739d6ef744c5fce51179ad6536d9d81e4f36c9694b4750336481f2a2b59",
       "6eed993ccd04a3aa01355e0dafa8022dd40b2b59cd5f2637f351edf11471245c700b29a5b3ebd1e7c7eece93b62"
       "2a4855d5e0e0f14c968bbe90092e0cd26526b"},
      {pattern(131072), "d02199a197fb4b1777525fe375f9f5f1",
       "564e3cea4a332298880258b2896477ce725866e4",
       "feb1e4409d009e0ec502eaabe321f86b5197a881e9b765252ec8a75d6957596d",
       "44d516b56c556f8e0b67ef10afc9f30e21aa959eb68b4dd279b782cb5857c2cf1c105df4bfb0a5a56510070a806"
       "2c12d0857d0a050bd29c3b2c929ca84064014"},
      {pattern(131073), "060bb13f48ee4b4ef00c6e28d0f4fce8",
       "f6cff13d349328296b30e7bd727d21b6bc309093",
       "dd84db969f4ff2abb79c8c2fbc06e8d8e02c46d6481c958e057f7ad7a24c58a7",
       "88d8ac0226b181d1504c85e9f029976613c496934c7d74be97db666910b4e297f11621b11ba3283a289b1f4105d"
       "606a9c4c66606a5c3d0f3e7938c3ad4f4a400"},
      {pattern((33U << 20U) + 7), "b155e8e222e7c9fc535e93f1fe1b041f",
       "1bd50c45add5778d68124f26fdd333b49e2826d0",
       "e63a745555ee0659400dcb4534b432047284ae5a138338ab6a7aa827483719b9",
       "09960449c215a9d7cfdd70631453fa4a4db3ed7198dcfbd7b167c69a83cd1b7e2b4274019b35dc1b5e603e2484e"
       "36e4bd148b6205ba57f144aefad0e8bd17a99"},
  };
}

TEST(Digest, AgreesWithCoreutils) {
  Digester all({.md5 = true, .sha1 = true, .sha512 = true});
  Digester one;
  for (const auto& c : digest_cases()) {
    SCOPED_TRACE(c.bytes.size());
    const auto result = all.digest(as_bytes(c.bytes));
    EXPECT_EQ(hex(result.md5), c.md5);
    EXPECT_EQ(hex(result.sha1), c.sha1);
    EXPECT_EQ(hex(result.sha256), c.sha256);
    EXPECT_EQ(hex(result.sha512), c.sha512);
    EXPECT_EQ(hex(one.digest(as_bytes(c.bytes)).sha256), c.sha256);
  }
}

TEST(Digest, AgreesWithCoreutilsOnManyAtOnce) {
  const auto cases = digest_cases();
  std::vector<stoq::ByteView> messages;
  for (const auto& c : cases) messages.push_back(as_bytes(c.bytes));
  std::vector<DigestResult> results(cases.size());
  Digester({.md5 = true, .sha1 = true, .sha512 = true}).digest(messages, results);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].bytes.size());
    EXPECT_EQ(hex(results[i].md5), cases[i].md5);
    EXPECT_EQ(hex(results[i].sha1), cases[i].sha1);
    EXPECT_EQ(hex(results[i].sha256), cases[i].sha256);
    EXPECT_EQ(hex(results[i].sha512), cases[i].sha512);
  }
}

struct BatchCase {
  const char* name;
  DigestSet set;
  std::vector<std::size_t> sizes;
};

std::vector<std::size_t> sizes_up_to(std::size_t last) {
  std::vector<std::size_t> sizes(last + 1);
  std::iota(sizes.begin(), sizes.end(), 0U);
  return sizes;
}

std::vector<std::size_t> random_sizes(std::size_t count, std::size_t most) {
  std::minstd_rand random(7);
  std::vector<std::size_t> sizes(count);
  for (auto& size : sizes) size = random() % (most + 1);
  return sizes;
}

class DigestBatch : public testing::TestWithParam<BatchCase> {};

// However many they are and wherever in memory they begin.
TEST_P(DigestBatch, IsThatOfEachMessageAlone) {
  const auto& c = GetParam();
  std::minstd_rand random(42);
  std::string pool(100'000 + 64, '\0');
  for (auto& byte : pool) byte = static_cast<char>(random());
  std::vector<stoq::ByteView> messages;
  for (const auto size : c.sizes) {
    messages.push_back(as_bytes(pool).subspan(random() % (pool.size() - size + 1), size));
  }
  Digester many(c.set), one(c.set);
  for (int round = 0; round < 2; ++round) {
    std::vector<DigestResult> results(messages.size());
    many.digest(messages, results);
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const auto expected = one.digest(messages[i]);
      ASSERT_EQ(hex(results[i].sha256), hex(expected.sha256)) << messages[i].size();
      ASSERT_EQ(hex(results[i].md5), hex(expected.md5)) << messages[i].size();
      ASSERT_EQ(hex(results[i].sha1), hex(expected.sha1)) << messages[i].size();
      ASSERT_EQ(hex(results[i].sha512), hex(expected.sha512)) << messages[i].size();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, DigestBatch,
    testing::ValuesIn(std::vector<BatchCase>{
        {"None", {}, {}},
        {"One", {.sha512 = true}, {1000}},
        {"Two", {.sha1 = true, .sha512 = true}, {1, 50'000}},
        {"Seven", {.md5 = true, .sha1 = true}, random_sizes(7, 5000)},
        {"EveryShortLength", {.md5 = true, .sha1 = true, .sha512 = true}, sizes_up_to(300)},
        {"Equal", {.sha1 = true, .sha512 = true}, std::vector<std::size_t>(64, 4096)},
        {"Mixed", {.md5 = true, .sha1 = true, .sha512 = true}, random_sizes(600, 10'000)},
        {"AcrossTheLimit", {.sha1 = true, .sha512 = true}, random_sizes(40, 100'000)},
        {"AtTheLimit", {.sha1 = true}, {59'999, 60'000, 60'001, 65'535, 65'536, 65'537}},
    }),
    [](const auto& tested) { return std::string(tested.param.name); });

TEST(Digest, LeavesOutWhatIsNotAskedFor) {
  const auto result =
      Digester({.md5 = false, .sha1 = true, .sha512 = false}).digest(as_bytes("abc"));
  EXPECT_EQ(hex(result.sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex(result.md5), std::string(32, '0'));
  EXPECT_EQ(hex(result.sha512), std::string(128, '0'));
}

// The pages of a file are mapped before they are read, from wherever the bytes begin. Digests by
// Python's hashlib.
TEST(Digest, OfAMappedFileIsThatOfItsBytes) {
  const auto bytes = pattern((std::size_t{5} << 20U) + 123);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  ASSERT_TRUE(file && std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() &&
              std::fflush(file.get()) == 0);
  auto* const address =
      ::mmap(nullptr, bytes.size(), PROT_READ, MAP_PRIVATE, ::fileno(file.get()), 0);
  ASSERT_NE(address, MAP_FAILED);
  const stoq::ByteView mapped(static_cast<const std::byte*>(address), bytes.size());
  Digester digester;
  EXPECT_EQ(hex(digester.digest(mapped).sha256),
            "0628356cd8d3d1f66cdf957c650b16d574aa59c556037ab29cd9c4acdce89278");
  EXPECT_EQ(hex(digester.digest(mapped.subspan(1)).sha256),
            "bfc39b7f2b1152c17d4d41d07c04e8ba192361c07128c598eb8cfbe0ee69a386");
  EXPECT_EQ(hex(digester.digest(mapped.first(std::size_t{2} << 20U)).sha256),
            "1e075c8d478ad21844e33e830a695ef03a4d2488b69ee275bd8947618bb1be1e");
  ::munmap(address, bytes.size());
}

TEST(Digest, Sha256OfPiecesIsThatOfTheirSum) {
  Digester digester;
  EXPECT_EQ(hex(digester.sha256({as_bytes("a"), as_bytes(""), as_bytes("bc")})),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(digester.sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, HexIsLowerCaseAndAppended) {
  std::string out = "x";
  stoq::support::append_hex(out, as_bytes("\x00\x7f\xab\xff"s));
  EXPECT_EQ(out, "x007fabff");
}

}  // namespace
