#include "index.hpp"

#include <charconv>
#include <utility>

namespace stix {
namespace {

bool has_no_case(Kind kind) noexcept { return kind != Kind::name && kind != Kind::url; }

/// The first `bits` of an address, as bytes.
std::string prefix(const ioc::Address& address, unsigned bits) {
  std::string key;
  for (unsigned at = 0; at * 8 < bits; ++at) {
    const auto left = bits - at * 8;
    const auto mask = left >= 8 ? 0xffU : 0xffU << (8 - left);
    key += static_cast<char>(address.bytes[at] & mask);
  }
  return key;
}

std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Index::Index() {
  for (std::size_t i = 0; i < kind_names.size(); ++i) {
    patterns_.emplace_back(has_no_case(static_cast<Kind>(i)));
  }
}

std::string Index::add(const stoq::Value& test, std::uint32_t number) {
  const auto kind = kind_called(test.text("type"));
  const auto* const values = test["values"].get_if<stoq::Value::Array>();
  if (!kind || values == nullptr) return "a test of another kind";
  const auto how = test.text("test");
  for (const auto& item : *values) {
    const auto* const value = item.get_if<std::string>();
    if (value == nullptr) return "a value that is no text";
    std::string problem;
    if (*kind == Kind::size) {
      add_size(how, *value, number);
    } else if (how != "in") {
      problem = add_pattern(*kind, how, *value, number);
    } else if (value->find('/') != value->npos && (*kind == Kind::ipv4 || *kind == Kind::ipv6)) {
      problem = add_network(*kind, *value, number);
    } else {
      add_value(values_[index(*kind)], key_of(*kind, *value), number);
    }
    if (!problem.empty()) return problem;
  }
  wanted_[index(*kind)] = true;
  return {};
}

std::string Index::finish() {
  for (std::size_t i = 0; i < patterns_.size(); ++i) {
    if (!patterns_[i].compile()) {
      return "too many LIKE and MATCHES of " + std::string(kind_names[i]);
    }
  }
  return {};
}

void Index::add_value(Heads& heads, std::string key, std::uint32_t number) {
  const auto [head, fresh] = heads.try_emplace(std::move(key), none);
  links_.push_back({number, head->second});
  head->second = static_cast<std::uint32_t>(links_.size() - 1);
}

std::string Index::add_pattern(Kind kind, std::string_view how, const std::string& value,
                               std::uint32_t number) {
  auto& patterns = patterns_[index(kind)];
  if (how == "like") return patterns.add_like(value, number);
  if (how == "matches") return patterns.add_expression(value, number);
  return "a test of another kind";
}

std::string Index::add_network(Kind kind, const std::string& value, std::uint32_t number) {
  const auto network = ioc::parse_network(value);
  if (!network) return "'" + value + "' is no network";
  auto& by_bits = networks_[kind == Kind::ipv6 ? 1 : 0];
  add_value(by_bits[network->bits], prefix(network->address, network->bits), number);
  return {};
}

void Index::add_size(std::string_view how, const std::string& value, std::uint32_t number) {
  const auto size = number_of(value);
  SizeTest test{0, UINT64_MAX, number};
  if (how == "in") test.least = test.most = size;
  if (how == "<=") test.most = size;
  if (how == ">=") test.least = size;
  // Nothing is smaller than 0 bytes, or larger than all: a range that holds nothing.
  if (how == "<") test = size == 0 ? SizeTest{1, 0, number} : SizeTest{0, size - 1, number};
  if (how == ">") {
    test = size == UINT64_MAX ? SizeTest{1, 0, number} : SizeTest{size + 1, UINT64_MAX, number};
  }
  sizes_.push_back(test);
}

void Index::take(const Heads& heads, std::string_view key,
                 std::vector<std::uint32_t>& numbers) const {
  const auto head = heads.find(key);
  if (head == heads.end()) return;
  for (auto at = head->second; at != none; at = links_[at].next) {
    numbers.push_back(links_[at].number);
  }
}

void Index::find_networks(const std::string& address, std::vector<std::uint32_t>& numbers) const {
  const auto parsed = ioc::parse_address(address);
  if (!parsed) return;
  for (const auto& [bits, heads] : networks_[parsed->is_v6 ? 1 : 0]) {
    take(heads, prefix(*parsed, bits), numbers);
  }
}

bool Index::find(const Fact& fact, std::vector<std::uint32_t>& numbers) const {
  if (fact.kind == Kind::size) {
    const auto size = number_of(fact.value);
    for (const auto& test : sizes_) {
      if (size >= test.least && size <= test.most) numbers.push_back(test.number);
    }
    return true;
  }
  take(values_[index(fact.kind)], key_of(fact.kind, fact.value), numbers);
  if (fact.kind == Kind::ipv4 || fact.kind == Kind::ipv6) find_networks(fact.value, numbers);
  const auto& patterns = patterns_[index(fact.kind)];
  return patterns.empty() || patterns.match(fact.value, numbers);
}

}  // namespace stix
