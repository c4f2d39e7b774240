#include "sevenzip_keyring.hpp"

#include <memory>
#include <span>
#include <string_view>

#include <openssl/evp.h>

#include "stream.hpp"

namespace archive_plugin::sevenzip {

namespace {

using stoq::ByteView;
using stoq::MalformedInput;
using stoq::Unsupported;
using stoq::common::data_as;

/// UTF-8 as UTF-16, little-endian: what the key is made of. Bytes that are none stand for
/// themselves.
std::string to_utf16(std::string_view text) {
  std::string result;
  const auto put = [&result](std::uint32_t unit) {
    result.push_back(static_cast<char>(unit & 0xffU));
    result.push_back(static_cast<char>(unit >> 8U & 0xffU));
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto at = [&](std::size_t index) -> std::uint32_t {
      return index < text.size() ? static_cast<unsigned char>(text[index]) : 0U;
    };
    const auto first = at(i);
    const std::size_t more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    std::uint32_t code = more == 0 ? first : first & (0x3fU >> more);
    bool whole = true;
    for (std::size_t k = 1; k <= more; ++k) {
      whole = whole && (at(i + k) & 0xc0U) == 0x80U;
      code = code << 6U | (at(i + k) & 0x3fU);
    }
    i += whole ? more + 1 : 1;
    if (!whole) code = first;
    if (code >= 0x10000) {
      put(0xd800 + ((code - 0x10000) >> 10U & 0x3ffU));
      code = 0xdc00 + ((code - 0x10000) & 0x3ffU);
    }
    put(code);
  }
  return result;
}

}  // namespace

const Keyring::Key& Keyring::key(unsigned cycles, ByteView salt) {
  constexpr unsigned unhashed = 0x3f;
  constexpr std::size_t key_size = 32;
  std::string id(stoq::as_chars(salt));
  id.push_back(static_cast<char>(cycles));
  auto& key = keys_[{chosen_, std::move(id)}];
  if (!key.empty()) return key;
  auto seed = std::string(stoq::as_chars(salt)) + to_utf16(passwords_[chosen_]);
  if (cycles == unhashed) {
    seed.resize(key_size);
    const auto bytes = stoq::as_bytes(seed);
    key.assign(bytes.begin(), bytes.end());
    return key;
  }
  const std::uint64_t rounds = std::uint64_t{1} << cycles;
  if (rounds > rounds_left_) {
    throw Unsupported("7z: a key made of 2^" + std::to_string(cycles) +
                      " rounds of SHA-256 takes too long");
  }
  rounds_left_ -= rounds;
  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Free> hash(EVP_MD_CTX_new());
  if (hash == nullptr || EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr) != 1) {
    throw Unsupported("this libcrypto has no SHA-256");
  }
  const std::size_t counter_at = seed.size();
  seed.resize(counter_at + 8);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    if (round % 65536 == 0 && request_.stop_requested()) {
      throw MalformedInput("7z: stopped before the key was made");
    }
    for (std::size_t i = 0; i < 8; ++i) {
      seed[counter_at + i] = static_cast<char>(round >> (8 * i) & 0xffU);
    }
    EVP_DigestUpdate(hash.get(), seed.data(), seed.size());
  }
  Key made(key_size);
  EVP_DigestFinal_ex(hash.get(), data_as<unsigned char>(std::span(made)), nullptr);
  key = std::move(made);
  return key;
}

}  // namespace archive_plugin::sevenzip
