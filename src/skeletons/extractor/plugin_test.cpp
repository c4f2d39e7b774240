#include <stoq/testing.hpp>

using namespace std::string_view_literals;
using stoq::testing::Collector;
using stoq::testing::payload;

int main(int, char** argv) {
  stoq::testing::Checks check;
  const stoq::testing::BuiltPlugin plugin(argv[1]);
  const auto& extractor = plugin.as<stoq::Extractor>();
  constexpr auto records = "RECS\5\0\0\0first\6\0\0\0second"sv;

  Collector whole;
  extractor.extract(payload(records), {}, whole);
  check.equal(whole.children.size(), 2U);
  check.equal(whole.children.at(0).bytes, "first");
  check.equal(whole.children.at(1).bytes, "second");
  check.equal(whole.children.at(1).info.offset.value_or(0), 17U);

  Collector cut;  // what comes before the break stands
  check.throws<stoq::MalformedInput>(
      [&] { extractor.extract(payload(records.substr(0, 20)), {}, cut); });
  check.equal(cut.children.size(), 1U);

  Collector other;
  extractor.extract(payload("anything else"), {}, other);
  check.equal(other.children.size(), 0U);
  return check.exit_code();
}
