#include "tlds.hpp"

#include <algorithm>
#include <fstream>

#include "chars.hpp"
#include "tld_names.hpp"

namespace ioc {

Tlds::Tlds(const std::string& file) {
  for (auto rest = tld_names; !rest.empty();) {
    const auto end = rest.find(' ');
    names_.emplace(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  // Of overlay networks: in no list, and of interest here.
  for (const auto* name : {"onion", "i2p"}) names_.emplace(name);
  if (!file.empty()) add_file(file);
}

void Tlds::add_file(const std::string& file) {
  std::ifstream lines(file);
  std::string line;
  while (std::getline(lines, line)) {
    // What follows are names that companies let to others, not top-level domains.
    if (line.find("===END ICANN DOMAINS===") != line.npos) break;
    const auto rule = std::string_view(line).substr(0, line.find_first_of(" \t\r"));
    if (rule.empty() || rule.starts_with("//")) continue;
    const auto name = rule.substr(rule.rfind('.') + 1);
    const bool is_ascii = std::all_of(name.begin(), name.end(), [](char c) { return is_host(c); });
    if (is_ascii && !name.empty()) names_.emplace(lowered(name));
  }
}

}  // namespace ioc
