#include <filesystem>
#include <fstream>
#include <iterator>

#include <stoq/testing.hpp>

using stoq::testing::BuiltPlugin;

int main(int, char** argv) {
  stoq::testing::Checks check;
  const std::string path = "template_name_test.jsonl";  // in the build folder
  {
    const BuiltPlugin plugin(argv[1], {{"path", path}});
    auto& connector = plugin.as<stoq::Connector>();
    connector.connect({.results = true});
    connector.save("{\"a\":1}\n{\"a\":2}\n", 2);
    connector.save("{\"a\":3}\n", 1);
    connector.disconnect();
  }
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  check.equal(text, "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
  std::filesystem::remove(path);

  const BuiltPlugin plugin(argv[1], {{"path", "no/such/folder/results.jsonl"}});
  check.throws<stoq::IoError>([&] { plugin.as<stoq::Connector>().connect({.results = true}); });
  return check.exit_code();
}
