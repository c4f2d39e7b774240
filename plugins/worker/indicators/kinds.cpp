#include "kinds.hpp"

#include <algorithm>
#include <utility>

namespace stix {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

/// Scheme and host in lower case (RFC 3986, 6.2.2.1), "/" for an empty path (6.2.3).
std::string url_key(std::string_view url) {
  std::string key(url);
  const auto scheme = url.find("://");
  if (scheme == url.npos) return key;
  const auto host_end = std::min(url.find_first_of("/?#", scheme + 3), url.size());
  const auto host_begin = std::min(url.substr(0, host_end).rfind('@'), host_end);
  std::transform(key.begin(), key.begin() + static_cast<std::ptrdiff_t>(scheme), key.begin(),
                 lower);
  const auto from = host_begin == host_end ? scheme + 3 : host_begin + 1;
  std::transform(key.begin() + static_cast<std::ptrdiff_t>(from),
                 key.begin() + static_cast<std::ptrdiff_t>(host_end),
                 key.begin() + static_cast<std::ptrdiff_t>(from), lower);
  if (host_end == key.size() || key[host_end] != '/') key.insert(host_end, "/");
  return key;
}

std::string registry_key(std::string_view value) {
  constexpr std::pair<std::string_view, std::string_view> hives[] = {
      {"hkey_local_machine", "hklm"},
      {"hkey_current_user", "hkcu"},
      {"hkey_classes_root", "hkcr"},
      {"hkey_users", "hku"},
      {"hkey_current_config", "hkcc"}};
  auto key = lowered(value);
  while (key.ends_with('\\')) key.pop_back();
  for (const auto& [name, letters] : hives) {
    if (!key.starts_with(name)) continue;
    return key.replace(0, name.size(), letters);
  }
  return key;
}

}  // namespace

std::optional<Kind> kind_called(std::string_view name) noexcept {
  const auto* const found = std::find(kind_names.begin(), kind_names.end(), name);
  if (found == kind_names.end()) return {};
  return static_cast<Kind>(found - kind_names.begin());
}

std::string key_of(Kind kind, std::string_view value) {
  switch (kind) {
    case Kind::url:
      return url_key(value);
    case Kind::registry_key:
      return registry_key(value);
    case Kind::mac_address: {
      auto key = lowered(value);
      std::replace(key.begin(), key.end(), '-', ':');
      return key;
    }
    case Kind::name:
      return std::string(value);
    default:
      return lowered(value);
  }
}

}  // namespace stix
