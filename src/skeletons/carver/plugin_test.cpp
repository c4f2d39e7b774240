#include <stoq/testing.hpp>

using stoq::testing::Collector;
using stoq::testing::payload;

int main(int, char** argv) {
  stoq::testing::Checks check;
  const stoq::testing::BuiltPlugin plugin(argv[1]);
  const auto& carver = plugin.as<stoq::Carver>();

  Collector found;
  carver.carve(payload("noise<<<one>>>noise<<<two>>> <<<cut"), {}, found);
  check.equal(found.children.size(), 2U);
  check.equal(found.children.at(0).bytes, "one");
  check.equal(found.children.at(1).bytes, "two");
  check.equal(found.children.at(1).info.offset.value_or(0), 22U);

  Collector nothing;
  carver.carve(payload(">>> no beginning"), {}, nothing);
  check.equal(nothing.children.size(), 0U);
  return check.exit_code();
}
