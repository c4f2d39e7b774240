#include "message.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace messages {
namespace {

/// A member that must be text; empty when there is none.
std::string text_of(const std::string& key, const stoq::Value& value) {
  const auto* const text = value.get_if<std::string>();
  if (text == nullptr) throw stoq::MalformedInput("'" + key + "' is no text");
  if (text->find('\0') != std::string::npos) {
    throw stoq::MalformedInput("'" + key + "' holds a NUL byte");
  }
  return *text;
}

std::string digits_of(const std::string& key, const stoq::Value& value, std::size_t size) {
  auto digits = text_of(key, value);
  for (auto& c : digits) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  if (digits.size() != size || digits.find_first_not_of("0123456789abcdef") != digits.npos) {
    throw stoq::MalformedInput("'" + key + "' is not " + std::to_string(size) + " hex digits");
  }
  return digits;
}

stoq::Tlp tlp_of(const stoq::Value& value) {
  const auto word = text_of("tlp", value);
  const auto level = stoq::parse_tlp(word);
  if (!level) {
    throw stoq::MalformedInput("'tlp' is '" + word +
                               "', and none of white, clear, green, amber, red");
  }
  return *level;
}

}  // namespace

stoq::Root root_of(const stoq::Value& message) {
  const auto* const members = message.get_if<stoq::Value::Object>();
  if (members == nullptr) throw stoq::MalformedInput("no object");
  constexpr std::size_t sha256_digits = 64, sha1_digits = 40;
  stoq::Root root;
  std::string sha256, sha1;
  for (const auto& [key, value] : *members) {
    if (value.is_null()) continue;
    if (key == "path") {
      root.path = text_of(key, value);
    } else if (key == "archive") {
      root.archive = text_of(key, value);
    } else if (key == "sha256") {
      sha256 = digits_of(key, value, sha256_digits);
    } else if (key == "sha1") {
      sha1 = digits_of(key, value, sha1_digits);
    } else if (key == "tlp") {
      root.tlp = tlp_of(value);
    } else {
      root.meta.set(key, value);
    }
  }
  if (root.archive.empty()) {
    if (root.path.empty()) {
      throw stoq::MalformedInput(
          R"(names no file; write {"path": …}, or {"archive": "file", "sha256": …})");
    }
    root.file = root.path;
    // What it is expected to be; there is nothing here to look for it in.
    if (!sha256.empty()) root.meta.set("sha256", sha256);
    if (!sha1.empty()) root.meta.set("sha1", sha1);
    return root;
  }
  root.meta.set("archive", root.archive);
  root.query.hash = !sha256.empty() ? sha256 : sha1;
  if (root.query.hash.empty()) root.query.path = root.path;
  if (root.query.hash.empty() && root.query.path.empty()) {
    throw stoq::MalformedInput("names an archive, but neither a sha256, a sha1 nor a path in it");
  }
  if (root.path.empty()) root.path = root.archive + ":" + root.query.hash;
  return root;
}

}  // namespace messages
