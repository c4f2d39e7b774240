#include <algorithm>
#include <memory>

#include <unicode/ucnv.h>

#include "guess.hpp"

namespace text {
namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

/// The name behind `key`, blanks, '=', blanks and perhaps a quote.
std::string named_behind(const std::string& head, std::string_view key) {
  auto at = head.find(key);
  if (at == head.npos) return {};
  at = head.find_first_not_of(" \t\r\n", at + key.size());
  if (at == head.npos || head[at] != '=') return {};
  at = head.find_first_not_of(" \t\r\n\"'", at + 1);
  if (at == head.npos) return {};
  const auto end = head.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_:.", at);
  return head.substr(at, std::min(end, head.size()) - at);
}

}  // namespace

bool is_known(const std::string& encoding) {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UConverter, decltype(&ucnv_close)> converter(
      ucnv_open(encoding.c_str(), &status), &ucnv_close);
  return U_SUCCESS(status) != 0 && converter != nullptr;
}

std::string declared(std::string_view bytes) {
  const auto head = lowered(bytes.substr(0, 1024));
  auto name = head.starts_with("<?xml") ? named_behind(head, "encoding") : std::string();
  if (name.empty() && head.find("<meta") != head.npos) name = named_behind(head, "charset");
  // The declaration itself was read, so these are a mistake of whoever wrote it.
  if (name.empty() || name.size() > 40 || name.starts_with("utf-16") ||
      name.starts_with("utf-32") || name.starts_with("utf-7")) {
    return {};
  }
  return is_known(name) ? name : std::string();
}

}  // namespace text
