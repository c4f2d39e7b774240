#include <cstring>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <stoq/testing.hpp>

namespace {

using stoq::as_bytes;
using stoq::as_chars;
using stoq::testing::Collector;
using stoq::testing::VectorBuffer;

TEST(Buffer, AppendsAndCounts) {
  VectorBuffer buffer(10);
  EXPECT_EQ(buffer.remaining(), 10U);
  buffer.append(as_bytes("abc"));
  buffer.append(as_bytes(""));
  buffer.append(as_bytes("def"));
  EXPECT_EQ(buffer.size(), 6U);
  EXPECT_EQ(buffer.remaining(), 4U);
  EXPECT_EQ(as_chars(buffer.view()), "abcdef");
}

TEST(Buffer, KeepsWhatIsCommittedWhileItGrows) {
  VectorBuffer buffer(1'000'000);
  std::string expected;
  for (std::size_t i = 0; i < 1000; ++i) {
    const std::string part(i, static_cast<char>('a' + i % 26));
    buffer.append(as_bytes(part));
    expected += part;
  }
  EXPECT_EQ(as_chars(buffer.view()), expected);
}

TEST(Buffer, PreparedRoomIsNoContentUntilCommitted) {
  VectorBuffer buffer(10);
  auto room = buffer.prepare(8);
  ASSERT_EQ(room.size(), 8U);
  std::memcpy(room.data(), "12345678", 8);
  EXPECT_EQ(buffer.size(), 0U);
  buffer.commit(3);
  EXPECT_EQ(as_chars(buffer.view()), "123");
  EXPECT_EQ(buffer.prepare(7).size(), 7U);
}

struct LimitCase {
  const char* name;
  std::size_t count;
  bool fits;
};

class BufferLimit : public testing::TestWithParam<LimitCase> {};

TEST_P(BufferLimit, OfTenWithFourUsed) {
  VectorBuffer buffer(10);
  buffer.append(as_bytes("abcd"));
  if (GetParam().fits) {
    EXPECT_EQ(buffer.prepare(GetParam().count).size(), GetParam().count);
    return;
  }
  try {
    (void)buffer.prepare(GetParam().count);
    FAIL() << "no limit";
  } catch (const stoq::LimitReached& reached) {
    EXPECT_STREQ(reached.limit, "child_bytes");
  }
  EXPECT_EQ(as_chars(buffer.view()), "abcd");
}

INSTANTIATE_TEST_SUITE_P(
    Each, BufferLimit,
    testing::Values(LimitCase{"Nothing", 0, true}, LimitCase{"AllThatIsLeft", 6, true},
                    LimitCase{"OneMore", 7, false},
                    LimitCase{"Wraps", std::numeric_limits<std::size_t>::max(), false},
                    LimitCase{"WrapsToZero", std::numeric_limits<std::size_t>::max() - 3, false}),
    [](const auto& test) { return test.param.name; });

TEST(Buffer, OfNothingTakesNothing) {
  VectorBuffer buffer(0);
  EXPECT_EQ(buffer.remaining(), 0U);
  EXPECT_TRUE(buffer.prepare(0).empty());
  EXPECT_THROW(buffer.append(as_bytes("a")), stoq::LimitReached);
}

// What plugin tests rely on.
TEST(Collector, DropsWhatIsTooLargeUnlessAPrefixWillDo) {
  Collector collector(4);
  const auto fill = [](stoq::Buffer& buffer) {
    buffer.append(as_bytes("abc"));
    buffer.append(as_bytes("def"));
  };
  EXPECT_FALSE(collector.produce({.name = "dropped"}, 6, fill));
  EXPECT_FALSE(collector.produce({.name = "cut", .keep_prefix = true}, 6, fill));
  EXPECT_EQ(collector.dropped, 1U);
  ASSERT_EQ(collector.children.size(), 1U);
  EXPECT_EQ(collector.children[0].bytes, "abc");
  EXPECT_EQ(collector.children[0].status, stoq::Status::partial);
}

TEST(Collector, WritesDownHowAChildFailed) {
  Collector collector;
  const auto fails = [](stoq::Buffer& buffer) {
    buffer.append(as_bytes("ab"));
    throw stoq::MalformedInput("broken");
  };
  EXPECT_FALSE(collector.produce({.name = "x"}, 0, fails));
  EXPECT_FALSE(collector.produce({}, 0, [](stoq::Buffer&) { throw stoq::Encrypted("locked"); }));
  ASSERT_EQ(collector.children.size(), 2U);
  EXPECT_EQ(collector.children[0].bytes, "ab");
  EXPECT_EQ(collector.children[0].status, stoq::Status::corrupt);
  EXPECT_EQ(collector.children[0].message, "broken");
  EXPECT_EQ(collector.children[1].status, stoq::Status::encrypted);
}

}  // namespace
