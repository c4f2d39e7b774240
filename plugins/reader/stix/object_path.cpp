#include "object_path.hpp"

#include <algorithm>

#include "expression.hpp"

namespace stix {
namespace {

struct Known {
  std::string_view object;
  std::string_view path;  ///< its steps, joined by dots
  std::string_view type;
};

constexpr Known known[] = {
    {"file", "name", "name"},
    {"file", "size", "size"},
    {"domain-name", "value", "domain"},
    {"domain-name", "resolves_to_refs.value", "address"},
    {"ipv4-addr", "value", "ipv4"},
    {"ipv6-addr", "value", "ipv6"},
    {"url", "value", "url"},
    {"email-addr", "value", "email"},
    {"mac-addr", "value", "mac_address"},
    {"windows-registry-key", "key", "registry_key"},
    {"network-traffic", "src_ref.value", "address"},
    {"network-traffic", "dst_ref.value", "address"},
    {"email-message", "from_ref.value", "email"},
    {"email-message", "sender_ref.value", "email"},
    {"email-message", "to_refs.value", "email"},
    {"email-message", "cc_refs.value", "email"},
    {"email-message", "bcc_refs.value", "email"},
};

}  // namespace

std::string_view type_of(const ObjectPath& path) {
  const auto& steps = path.steps;
  const bool is_content = path.object == "file" || path.object == "artifact";
  if (is_content && steps.size() == 2 && steps[0] == "hashes") return digest_type(steps[1]);
  std::string joined;
  for (const auto& step : steps) joined += (joined.empty() ? "" : ".") + step;
  const auto* const found = std::find_if(std::begin(known), std::end(known), [&](const Known& one) {
    return one.object == path.object && one.path == joined;
  });
  return found == std::end(known) ? std::string_view() : found->type;
}

}  // namespace stix
