#include <stoq/testing.hpp>

using stoq::testing::payload;

int main(int, char** argv) {
  stoq::testing::Checks check;
  const stoq::testing::BuiltPlugin plugin(argv[1], {{"first_bytes", "10"}});
  const auto& worker = plugin.as<stoq::Worker>();

  check.equal(worker.scan(payload("one\ntwo\n"), {}).integer("lines"), 2);
  check.equal(worker.scan(payload(std::string(100, '\n')), {}).integer("lines"), 10);
  check.that(worker.scan(payload(""), {}).is_null(), "there is nothing to say of nothing");
  return check.exit_code();
}
