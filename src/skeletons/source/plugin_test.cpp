#include <stoq/testing.hpp>

int main(int, char** argv) {
  stoq::testing::Checks check;
  const stoq::testing::BuiltPlugin plugin(argv[1]);
  stoq::Input input;
  input.paths = {"b", "a"};
  stoq::testing::Delivered delivered;
  plugin.as<stoq::Source>().ingest(input, delivered);

  check.equal(delivered.roots.size(), 2U);
  check.equal(delivered.roots.at(0).path, "b");
  check.equal(delivered.roots.at(1).file, "a");
  return check.exit_code();
}
