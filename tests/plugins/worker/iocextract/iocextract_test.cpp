// The corpus of another extractor in ../shared, when it is there; what a truth table cannot say.
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "plugins/truth.hpp"
#include "support/json.hpp"

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using stoq::testing::LoadedPlugin;
using Found = std::map<std::string, std::vector<std::string>>;

const stoq::Options::Map all_types{
    {"types_list",
     "url,domain,ipv4,ipv6,mac_address,email,md5,sha1,sha256,sha512,cve,registry_key,windows_path,"
     "unix_path,yara_rule"}};

LoadedPlugin load(const stoq::Options::Map& options) {
  return LoadedPlugin({"worker", "iocextract"}, options);
}

Json scan(const LoadedPlugin& plugin, std::string text) {
  stoq::Payload payload;
  payload.bytes = stoq::Bytes::own(std::move(text));
  std::string line;
  stoq::support::append_json(line, plugin.as<stoq::Worker>().scan(payload, {}));
  return Json::parse(line);
}

Found lists(const Json& result) {
  Found found;
  for (const auto& [type, items] : result.items()) {
    if (items.is_array()) found[type] = items.get<std::vector<std::string>>();
  }
  return found;
}

/// The spelling that an indicator of the corpus has once it is refanged; made without our code.
std::string refanged(std::string text) {
  const auto flags = std::regex::ECMAScript | std::regex::icase;
  text =
      std::regex_replace(text, std::regex("[\\s\\[\\](){}/]+(at|@)[\\s\\[\\](){}/]+", flags), "@");
  text = std::regex_replace(text, std::regex("\\s*@\\s*"), "@");
  text = std::regex_replace(
      text, std::regex("\\s*[\\[({][\\s\\[({]*(dot|\\.)[\\s\\])}]*|\\s*\\.[\\])}]+", flags), ".");
  text = std::regex_replace(text, std::regex("(\\s|/)dot(\\s|/)", flags), ".");
  text = std::regex_replace(text, std::regex("\\[/\\]"), "/");
  text = std::regex_replace(text, std::regex("^hxxp"), "http");
  text = std::regex_replace(text, std::regex("//\\[([a-z]+\\.)"), "//$1");
  if (text.find('/') != text.npos) text = std::regex_replace(text, std::regex(","), ".");
  // Bare IPv6 hosts get the brackets that a URL needs.
  text = std::regex_replace(text, std::regex("//([0-9a-f]+(:[0-9a-f]+){7})$"), "//[$1]");
  std::smatch address;
  if (std::regex_search(text, address, std::regex("[0-9a-f]*(:[0-9a-f]*){2,7}", flags))) {
    in6_addr bytes{};
    char out[INET6_ADDRSTRLEN] = {};
    if (inet_pton(AF_INET6, address.str().c_str(), &bytes) == 1) {
      inet_ntop(AF_INET6, &bytes, out, sizeof out);
      text = address.prefix().str() + out + address.suffix().str();
    }
  }
  return text;
}

std::vector<std::string> types_of(const std::string& extractor) {
  static const std::map<std::string, std::vector<std::string>> types{
      {"md5_hashes", {"md5"}},
      {"sha1_hashes", {"sha1"}},
      {"sha256_hashes", {"sha256"}},
      {"sha512_hashes", {"sha512"}},
      {"emails", {"email"}},
      {"ipv4s", {"ipv4"}},
      {"ipv6s", {"ipv6"}},
      {"ips", {"ipv4", "ipv6"}},
      {"urls", {"url"}},
      {"yara_rules", {"yara_rule"}},
      {"iocs", {"url", "ipv4", "ipv6", "email", "yara_rule"}}};
  return types.at(extractor);
}

/// What fails of one assertion; empty when it holds.
std::string failure(const Json& assertion, const Found& found) {
  const auto extractor = assertion["extractor"].get<std::string>();
  std::vector<std::string> items;
  for (const auto& type : types_of(extractor)) {
    if (!found.contains(type)) continue;
    items.insert(items.end(), found.at(type).begin(), found.at(type).end());
  }
  if (assertion.contains("expect_count")) {
    const auto count = assertion["expect_count"].get<std::size_t>();
    if (items.size() == count) return {};
    return Json(items).dump() + " instead of " + std::to_string(count);
  }
  auto must = assertion["expect_first"].get<std::string>();
  if (must.find("rule ") == must.npos) must = refanged(must);
  if (!items.empty() && items.front() == must) return {};
  return Json(items).dump() + " instead of " + must;
}

class Corpus : public testing::Test {
 protected:
  void SetUp() override {
    const auto folder =
        fs::path(STOQ_SOURCE_PLUGINS).parent_path().parent_path() / "shared" / "corpora" / "ioc";
    if (!fs::exists(folder / "iocextract.jsonl")) {
      std::cerr << "NOT CHECKED: " << folder << " is absent\n";
      GTEST_SKIP() << folder << " is absent";
    }
    std::ifstream lines(folder / "iocextract.jsonl");
    std::string line;
    std::getline(lines, line);
    head = Json::parse(line);
    while (std::getline(lines, line)) assertions.push_back(Json::parse(line));
    text = stoq::testing::read_file(folder / head["input_file"].get<std::string>());
  }

  Json head;
  std::vector<Json> assertions;
  std::string text;
};

TEST_F(Corpus, FindsWhatMustBeFound) {
  const auto found = lists(scan(load(all_types), text));
  std::set<std::string> all;
  for (const auto& [type, items] : found) all.insert(items.begin(), items.end());
  for (const auto& item : head["must_find"]) {
    const auto must = refanged(item.get<std::string>());
    EXPECT_TRUE(all.contains(must) || all.contains("http://" + must)) << item << " as " << must;
  }
  for (const auto& item : head["must_not_find"]) {
    EXPECT_FALSE(all.contains(item.get<std::string>())) << item;
  }
}

TEST_F(Corpus, HoldsItsAssertions) {
  const auto plugin = load(all_types);
  std::string failures;
  std::size_t held = 0;
  for (const auto& assertion : assertions) {
    const auto problem =
        failure(assertion, lists(scan(plugin, assertion["input"].get<std::string>())));
    if (problem.empty()) {
      ++held;
    } else {
      failures += "\n  " + assertion["input"].dump() + ": " + problem;
    }
  }
  std::cout << held << " of " << assertions.size() << " assertions hold\n";
  EXPECT_EQ(assertions.size(), 580U);
  EXPECT_EQ(held, assertions.size()) << failures;
}

TEST(IocExtract, StopsWhenAsked) {
  const auto plugin = load({});
  stoq::Payload payload;
  std::string text;
  while (text.size() < (std::size_t{2} << 20U)) text += "http://example.com/a ";
  payload.bytes = stoq::Bytes::own(std::move(text));
  const auto& worker = plugin.as<stoq::Worker>();
  EXPECT_FALSE(worker.scan(payload, {}).is_null());
  const stoq::Value none;
  const stoq::Request stopped(
      none, [](const void*) noexcept { return true; }, nullptr);
  EXPECT_TRUE(worker.scan(payload, stopped).is_null());
}

/// The same text again and again, up to `size` bytes.
std::string repeated(const std::string& part, std::size_t size) {
  std::string text;
  text.reserve(size + part.size());
  while (text.size() < size) text += part;
  text.resize(size);
  return text;
}

double seconds(const LoadedPlugin& plugin, const std::string& text) {
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    const auto start = std::clock();
    scan(plugin, text);
    best = std::min(best, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  return best;
}

// Sixteen times the text takes about sixteen times as long; if the work were quadratic, 256 times.
TEST(IocExtract, TakesLinearTimeOnHostileText) {
  const auto plugin = load(all_types);
  const std::vector<std::string> parts{
      "a.",   "a@",          "1.",      "::",         "a:",
      "[.",   "http://a.b/", "[",       "\\\\a",      "a\\.",
      " at ", "@ [ [ ",      "/usr/x",  "C:\\a ",     "a [.] ",
      "ff",   "-",           "rule a{", "a b ",       "a.com",
      "%a",   "1.1.1.1",     "://",     "HKLM\\a a ", "http://a.com@",
      "\"",   "condition{"};
  for (const auto& part : parts) {
    const auto small = seconds(plugin, repeated(part, std::size_t{64} << 10U));
    const auto large = seconds(plugin, repeated(part, std::size_t{1} << 20U));
    EXPECT_LT(large, 64 * std::max(small, 5e-4)) << part;
    RecordProperty("ms_per_MB_of_" + std::to_string(&part - parts.data()),
                   std::to_string(large * 1e3));
    std::cout << Json(part).dump() << ": " << large * 1e3 << " ms a MB\n";
  }
}

}  // namespace
