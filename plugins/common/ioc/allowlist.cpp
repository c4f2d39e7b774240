#include "allowlist.hpp"

#include <algorithm>
#include <fstream>

#include <stoq/error.hpp>

#include "chars.hpp"

namespace ioc {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  return first == text.npos ? std::string_view{}
                            : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_address(Type type) noexcept { return type == Type::ipv4 || type == Type::ipv6; }

}  // namespace

void Allowlist::add_file(const std::string& file) {
  std::ifstream lines(file);
  if (!lines) throw stoq::ConfigError("whitelist file " + file + " cannot be read");
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    const auto text = trimmed(line);
    if (!text.empty() && text.front() != '#') add_line(text, file + ":" + std::to_string(number));
  }
  if (!lines.eof()) throw stoq::ConfigError("whitelist file " + file + " is no file");
}

void Allowlist::add_line(std::string_view line, const std::string& where) {
  const auto colon = std::min(line.find(':'), line.size());
  const auto type = type_called(trimmed(line.substr(0, colon)));
  auto pattern = trimmed(line.substr(std::min(colon + 1, line.size())));
  if (!type || pattern.empty()) {
    throw stoq::ConfigError(where + ": expected type:pattern, such as " +
                            "domain:example.com or ipv4:10.0.0.0/8");
  }
  if (is_address(*type)) {
    const auto network = parse_network(pattern);
    if (!network || network->address.is_v6 != (*type == Type::ipv6)) {
      throw stoq::ConfigError(where + ": '" + std::string(pattern) +
                              "' is no address and no network");
    }
    networks_.push_back(*network);
    return;
  }
  if (*type == Type::domain && pattern.front() == '.') pattern.remove_prefix(1);
  exact_[index(*type)].insert(lowered(pattern));
}

bool Allowlist::contains(Type type, std::string_view indicator, std::string_view host) const {
  if (is_address(type)) return has_address(indicator);
  if (type == Type::domain) return has_domain(indicator);
  if (type == Type::url && (has_domain(host) || has_address(host))) return true;
  const auto& known = exact_[index(type)];
  return !known.empty() && known.contains(lowered(indicator));
}

bool Allowlist::has_address(std::string_view text) const {
  if (networks_.empty()) return false;
  const auto address = parse_address(text);
  return address && std::any_of(networks_.begin(), networks_.end(),
                                [&](const Network& network) { return network.contains(*address); });
}

bool Allowlist::has_domain(std::string_view name) const {
  const auto& known = exact_[index(Type::domain)];
  while (!known.empty() && !name.empty()) {
    if (known.contains(name)) return true;
    name.remove_prefix(std::min(name.find('.'), name.size() - 1) + 1);
  }
  return false;
}

}  // namespace ioc
