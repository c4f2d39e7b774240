#include "facts.hpp"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include <openssl/evp.h>

namespace stix {
namespace {

std::string hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    out += digits[std::to_integer<std::size_t>(byte >> 4)];
    out += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return out;
}

std::string digest(stoq::ByteView bytes, const EVP_MD* algorithm) {
  std::array<std::byte, EVP_MAX_MD_SIZE> made{};
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(made.data()), &size,
                 algorithm, nullptr) != 1) {
    throw stoq::Unsupported("OpenSSL does not make this digest here");
  }
  return hex(std::span(made).first(size));
}

template <class Known>
void add_digest(Kind kind, const Known& known, const EVP_MD* algorithm, stoq::ByteView bytes,
                const Kinds& wanted, Facts& facts) {
  if (!wanted[index(kind)]) return;
  facts.add({kind, known ? hex(*known) : digest(bytes, algorithm)});
}

std::string_view base_name(std::string_view name) {
  const auto slash = name.find_last_of("/\\");
  return slash == name.npos ? name : name.substr(slash + 1);
}

}  // namespace

void Facts::add(Fact fact) {
  present_[index(fact.kind)] = true;
  all.push_back(std::move(fact));
}

void add_own_facts(const stoq::Payload& payload, const Kinds& wanted, Facts& facts) {
  const auto bytes = payload.view();
  const auto& known = payload.digests;
  add_digest(Kind::md5, known.md5, EVP_md5(), bytes, wanted, facts);
  add_digest(Kind::sha1, known.sha1, EVP_sha1(), bytes, wanted, facts);
  add_digest(Kind::sha256, known.sha256, EVP_sha256(), bytes, wanted, facts);
  add_digest(Kind::sha512, known.sha512, EVP_sha512(), bytes, wanted, facts);
  if (wanted[index(Kind::name)] && !payload.name.empty()) {
    facts.add({Kind::name, std::string(base_name(payload.name))});
  }
  if (wanted[index(Kind::size)]) facts.add({Kind::size, std::to_string(bytes.size())});
}

void add_found(const stoq::Value& found, Facts& facts) {
  const auto* const lists = found.get_if<stoq::Value::Object>();
  if (lists == nullptr) return;
  for (const auto& [type, items] : *lists) {
    const auto kind = kind_called(type);
    const auto* const list = items.get_if<stoq::Value::Array>();
    if (!kind || list == nullptr) {
      if (type == "omitted") facts.error = "reader:iocregex left some out (max_indicators)";
      continue;
    }
    for (const auto& item : *list) {
      if (const auto* const value = item.get_if<std::string>()) facts.add({*kind, *value});
    }
  }
}

}  // namespace stix
