#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <stoq/value.hpp>

namespace {

using stoq::Value;

TEST(Value, KeepsTheOrderOfMembers) {
  Value value{{"z", 1}, {"a", true}};
  value.add("m", "text");
  std::string order;
  for (const auto& [key, member] : *value.get_if<Value::Object>()) order += key;
  EXPECT_EQ(order, "zam");
}

TEST(Value, TakesEveryKindAsItself) {
  EXPECT_TRUE(Value().is_null());
  EXPECT_EQ(*Value(true).get_if<bool>(), true);
  EXPECT_EQ(*Value(std::uint8_t{200}).get_if<std::int64_t>(), 200);
  EXPECT_EQ(*Value(-1).get_if<std::int64_t>(), -1);
  EXPECT_EQ(*Value(1.5F).get_if<double>(), 1.5);
  EXPECT_EQ(*Value("a").get_if<std::string>(), "a");
  EXPECT_EQ(*Value(std::string_view("ab").substr(0, 1)).get_if<std::string>(), "a");
  EXPECT_EQ(Value(Value::Array{1, "b"}).get_if<Value::Array>()->size(), 2U);
  EXPECT_EQ(Value(true).get_if<std::int64_t>(), nullptr);
}

TEST(Value, MissingMembersAreNull) {
  // In a vector, since g++ 12 sees uninitialised use of a temporary's other alternatives.
  for (const auto& value : std::vector<Value>{Value(7), Value()}) {
    EXPECT_TRUE(value["none"].is_null());
  }
  EXPECT_TRUE((Value{{"a", 1}})["b"]["c"]["d"].is_null());
  EXPECT_EQ(*(Value{{"a", Value{{"b", 2}}}})["a"]["b"].get_if<std::int64_t>(), 2);
}

TEST(Value, ReadsMembersWithFallback) {
  const Value value{{"t", "text"}, {"n", 7}, {"d", 1.5}};
  EXPECT_EQ(value.text("t"), "text");
  EXPECT_EQ(value.text("n", "other"), "other");
  EXPECT_EQ(value.text("none"), "");
  EXPECT_EQ(value.integer("n", 1), 7);
  EXPECT_EQ(value.integer("t", 1), 1);
  EXPECT_EQ(value.integer("d", 1), 1);
  EXPECT_EQ(value.integer("none"), 0);
}

TEST(Value, AddTurnsNullIntoAnObject) {
  Value value;
  value.add("a", 1);
  EXPECT_EQ(value.integer("a"), 1);
  EXPECT_THROW(Value(7).add("a", 1), std::bad_variant_access);
}

TEST(Value, SetPutsAMemberInPlaceOfOneOfItsName) {
  Value value;
  value.set("a", 1);
  value.set("b", 2);
  value.set("a", 3);
  const auto* members = value.get_if<Value::Object>();
  ASSERT_NE(members, nullptr);
  ASSERT_EQ(members->size(), 2U);
  EXPECT_EQ(members->front().first, "a");
  EXPECT_EQ(value.integer("a"), 3);
  EXPECT_EQ(value.integer("b"), 2);
  EXPECT_THROW(Value(7).set("a", 1), std::bad_variant_access);
}

TEST(Value, TheFirstOfEqualNamesIsFound) { EXPECT_EQ((Value{{"a", 1}, {"a", 2}}).integer("a"), 1); }

TEST(Value, VisitSeesWhatIsHeld) {
  const auto index = [](const Value& value) {
    return value.visit([](const auto& held) { return sizeof(held); });
  };
  EXPECT_EQ(index(Value(true)), sizeof(bool));
  EXPECT_EQ(index(Value("x")), sizeof(std::string));
}

}  // namespace
