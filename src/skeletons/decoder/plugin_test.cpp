#include <stoq/testing.hpp>

using stoq::testing::Collector;
using stoq::testing::payload;

int main(int, char** argv) {
  stoq::testing::Checks check;
  const stoq::testing::BuiltPlugin plugin(argv[1]);
  const auto& decoder = plugin.as<stoq::Decoder>();

  Collector turned;
  decoder.decode(payload("abcdef", "name"), {}, turned);
  check.equal(turned.children.size(), 1U);
  check.equal(turned.children.at(0).bytes, "fedcba");
  check.equal(turned.children.at(0).info.name, "name");

  Collector limited(3);  // bytes a child may have: more is dropped, and counted
  decoder.decode(payload("abcdef"), {}, limited);
  check.equal(limited.children.size(), 0U);
  check.equal(limited.dropped, 1U);
  return check.exit_code();
}
