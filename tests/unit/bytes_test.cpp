#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include <stoq/bytes.hpp>

namespace {

using namespace std::string_literals;
using stoq::as_bytes;
using stoq::as_chars;
using stoq::Bytes;
using stoq::Cursor;

constexpr auto huge = std::numeric_limits<std::size_t>::max();

struct SliceCase {
  const char* name;
  std::size_t offset, count;
  bool fits;
};

class Slice : public testing::TestWithParam<SliceCase> {};

TEST_P(Slice, OfFourBytes) {
  const auto& c = GetParam();
  const auto view = as_bytes("abcd");
  EXPECT_EQ(stoq::fits(view, c.offset, c.count), c.fits);
  if (c.fits) {
    EXPECT_EQ(as_chars(stoq::slice(view, c.offset, c.count)), "abcd"s.substr(c.offset, c.count));
  } else {
    EXPECT_THROW((void)stoq::slice(view, c.offset, c.count), stoq::MalformedInput);
    EXPECT_THROW((void)Bytes::own("abcd"s).slice(c.offset, c.count), stoq::MalformedInput);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Boundaries, Slice,
    testing::Values(SliceCase{"Whole", 0, 4, true}, SliceCase{"Part", 1, 2, true},
                    SliceCase{"Nothing", 0, 0, true}, SliceCase{"EmptyAtEnd", 4, 0, true},
                    SliceCase{"OneTooMany", 0, 5, false}, SliceCase{"OnePastEnd", 4, 1, false},
                    SliceCase{"BeyondEnd", 5, 0, false}, SliceCase{"CountWraps", 1, huge, false},
                    SliceCase{"OffsetWraps", huge, 2, false},
                    SliceCase{"BothWrap", huge, huge, false},
                    SliceCase{"SumWrapsToTwo", huge - 1, 4, false}),
    [](const auto& test) { return test.param.name; });

TEST(SliceMessage, SaysWhereAndHowMuch) {
  try {
    (void)stoq::slice(as_bytes("abcd"), 3, 9);
    FAIL();
  } catch (const stoq::MalformedInput& error) {
    EXPECT_STREQ(error.what(), "read of 9 bytes at 3 runs past the end (4)");
  }
}

TEST(Bytes, SliceSharesStorageAndOutlivesItsParent) {
  Bytes child;
  {
    const auto parent = Bytes::own("0123456789"s);
    const auto middle = parent.slice(1, 8);
    child = middle.slice(1, 3);
    EXPECT_EQ(child.view().data(), parent.view().data() + 2);
  }
  EXPECT_EQ(as_chars(child.view()), "234");
}

TEST(Bytes, OwnsVectors) {
  const auto bytes = Bytes::own(std::vector<std::byte>{std::byte{1}, std::byte{255}});
  EXPECT_EQ(as_chars(bytes.view()), "\x01\xff");
}

TEST(Bytes, DefaultIsEmptyAndCanBeSliced) {
  const Bytes none;
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(none.slice(0, 0).empty());
  EXPECT_THROW((void)none.slice(0, 1), stoq::MalformedInput);
}

TEST(Cursor, ReadsBothByteOrders) {
  const auto data = "\x01\x02\x03\x04\x05\x06\x07\xff"s;
  EXPECT_EQ(Cursor(as_bytes(data)).le<std::uint8_t>(), 0x01U);
  EXPECT_EQ(Cursor(as_bytes(data)).be<std::uint8_t>(), 0x01U);
  EXPECT_EQ(Cursor(as_bytes(data)).le<std::uint16_t>(), 0x0201U);
  EXPECT_EQ(Cursor(as_bytes(data)).be<std::uint16_t>(), 0x0102U);
  EXPECT_EQ(Cursor(as_bytes(data)).le<std::uint32_t>(), 0x04030201U);
  EXPECT_EQ(Cursor(as_bytes(data)).be<std::uint32_t>(), 0x01020304U);
  EXPECT_EQ(Cursor(as_bytes(data)).le<std::uint64_t>(), 0xff07060504030201U);
  EXPECT_EQ(Cursor(as_bytes(data)).be<std::uint64_t>(), 0x01020304050607ffU);
}

TEST(Cursor, CountsAndStaysWhereItIsWhenItThrows) {
  Cursor cursor(as_bytes("abcdef"));
  EXPECT_EQ(as_chars(cursor.take(4)), "abcd");
  EXPECT_EQ(cursor.offset(), 4U);
  EXPECT_EQ(cursor.remaining(), 2U);
  EXPECT_THROW((void)cursor.le<std::uint32_t>(), stoq::MalformedInput);
  EXPECT_THROW((void)cursor.take(huge), stoq::MalformedInput);
  EXPECT_EQ(cursor.offset(), 4U);
  EXPECT_EQ(as_chars(cursor.take(2)), "ef");
  EXPECT_EQ(cursor.remaining(), 0U);
  EXPECT_TRUE(cursor.take(0).empty());
}

}  // namespace
