#include "hosts.hpp"

#include <algorithm>

#include "addresses.hpp"
#include "chars.hpp"

namespace ioc {
namespace {

bool is_label(std::string_view label, bool may_have_underscore) noexcept {
  if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-') {
    return false;
  }
  if (!may_have_underscore && label.find('_') != label.npos) return false;
  return std::any_of(label.begin(), label.end(), [](char c) { return is_alnum(c); });
}

}  // namespace

bool is_domain_form(std::string_view name) noexcept {
  if (name.size() > 253) return false;
  std::size_t labels = 0;
  for (auto rest = name;; ++labels) {
    const auto dot = rest.rfind('.');
    const auto label = dot == rest.npos ? rest : rest.substr(dot + 1);
    if (!is_label(label, labels >= 2)) return false;
    if (labels == 0 && (label.size() < 2 || !is_alpha(label.front()))) return false;
    if (dot == rest.npos) return labels >= 1;
    rest = rest.substr(0, dot);
  }
}

Host classify(std::string_view written, const Tlds& tlds) {
  Host host{Host::Kind::none, lowered(written)};
  if (!host.text.empty() && is_digit(host.text.back())) {
    if (parse_address(host.text)) host.kind = Host::Kind::ipv4;
    if (host.kind == Host::Kind::ipv4) return host;
  }
  if (is_domain_form(host.text) && tlds.contains(tld_of(host.text))) {
    host.kind = Host::Kind::domain;
  }
  return host;
}

std::string refanged(std::string_view written, const Patterns& patterns) {
  const bool is_plain =
      std::all_of(written.begin(), written.end(), [](char c) { return is_host(c) || c == '.'; });
  return is_plain ? std::string(written) : patterns.any_dot.replaced(std::string(written), ".");
}

}  // namespace ioc
