#include <stoq/testing.hpp>

using stoq::testing::payload;

int main(int, char** argv) {
  stoq::testing::Checks check;
  const stoq::testing::BuiltPlugin plugin(argv[1]);
  const auto& reader = plugin.as<stoq::Reader>();
  const auto read = [&](std::string_view bytes) {
    const auto value = reader.read(payload(bytes), {});
    const auto* const text = value.get_if<std::string>();
    return text != nullptr ? *text : "no text";
  };

  check.equal(read("\x01text\xff\nmore\x7f"), "text\nmore");
  check.equal(read(""), "");
  return check.exit_code();
}
