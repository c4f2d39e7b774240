#include "support/digest.hpp"

#include <algorithm>
#include <new>
#include <vector>

#include <openssl/evp.h>

namespace stoq::support {
namespace {

/// Several digests go over one block before the next, so that it is read from memory once.
constexpr std::size_t block_size = std::size_t{128} << 10;
/// After so many bytes the caller is told.
constexpr std::size_t pause_size = std::size_t{16} << 20;
static_assert(pause_size % block_size == 0);

/// One algorithm and its context.
class Hash {
 public:
  explicit Hash(const char* name)
      : algorithm_(EVP_MD_fetch(nullptr, name, nullptr)), context_(EVP_MD_CTX_new()) {
    if (algorithm_ == nullptr) {
      throw Error(std::string("OpenSSL offers no ") + name + " here: check its configuration");
    }
    if (context_ == nullptr) throw std::bad_alloc();
  }
  void start() { check(EVP_DigestInit_ex2(context_.get(), algorithm_.get(), nullptr)); }
  void update(ByteView bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()));
  }
  template <std::size_t Size>
  void finish(std::array<std::byte, Size>& digest) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
    unsigned length = 0;
    check(EVP_DigestFinal_ex(context_.get(), raw.data(), &length));
    const auto bytes = std::as_bytes(std::span{raw}).first(std::min<std::size_t>(Size, length));
    std::copy(bytes.begin(), bytes.end(), digest.begin());
  }

 private:
  struct Free {
    void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  static void check(int result) {
    if (result != 1) throw Error("OpenSSL could not make a digest");
  }
  std::unique_ptr<EVP_MD, Free> algorithm_;
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

struct Digester::State {
  Hash sha256{"SHA256"};
  std::unique_ptr<Hash> md5, sha1, sha512;
  std::vector<Hash*> all{&sha256};

  void add(std::unique_ptr<Hash>& hash, const char* name) {
    hash = std::make_unique<Hash>(name);
    all.push_back(hash.get());
  }
};

Digester::Digester(DigestSet set) : state_(std::make_unique<State>()) {
  if (set.md5) state_->add(state_->md5, "MD5");
  if (set.sha1) state_->add(state_->sha1, "SHA1");
  if (set.sha512) state_->add(state_->sha512, "SHA512");
}

Digester::~Digester() = default;

DigestResult Digester::digest(ByteView bytes, void (*between)(void*, std::size_t), void* context) {
  for (auto* hash : state_->all) hash->start();
  for (std::size_t done = 0; done < bytes.size();) {
    const auto block = bytes.subspan(done, std::min(block_size, bytes.size() - done));
    for (auto* hash : state_->all) hash->update(block);
    done += block.size();
    if (between != nullptr && done % pause_size == 0) between(context, done);
  }
  DigestResult result;
  state_->sha256.finish(result.sha256);
  if (state_->md5) state_->md5->finish(result.md5);
  if (state_->sha1) state_->sha1->finish(result.sha1);
  if (state_->sha512) state_->sha512->finish(result.sha512);
  return result;
}

Sha256 Digester::sha256(std::initializer_list<ByteView> pieces) {
  Sha256 result{};
  state_->sha256.start();
  for (const auto piece : pieces) state_->sha256.update(piece);
  state_->sha256.finish(result);
  return result;
}

void append_hex(std::string& out, ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (const auto byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    out += digits[value >> 4U];
    out += digits[value & 15U];
  }
}

}  // namespace stoq::support
