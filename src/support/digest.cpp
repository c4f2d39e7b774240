#include "support/digest.hpp"

#include <algorithm>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

#include <openssl/evp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/hash_lanes.hpp"

namespace stoq::support {
namespace {

/// Several digests go over one block before the next, so that it is read from memory once. The next
/// is asked for meanwhile: SHA-256 of a mapped file is 1.2 to 1.4 x as fast (measured: a block of
/// 8, 16 and 64 KiB alike).
constexpr std::size_t block_size = std::size_t{16} << 10;
constexpr std::size_t cache_line = 64;
/// So many bytes of a file are mapped in one go, not in faults of 64 KiB each: hashing one is 1.05
/// x as fast (measured). Not all of it: the next are read from the disk meanwhile.
constexpr std::size_t window_size = std::size_t{2} << 20;
static_assert(window_size % block_size == 0);

void prefetch(ByteView bytes) noexcept {
  for (std::size_t at = 0; at < bytes.size(); at += cache_line) {
    __builtin_prefetch(bytes.data() + at, 0, 2);
  }
}

/// What cannot be (the file was cut, or is none; a kernel before 5.14) comes as it is read.
void populate(ByteView window) noexcept {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(window.data());
  const auto first = address / page * page;
  ::madvise(reinterpret_cast<void*>(first), address + window.size() - first, MADV_POPULATE_READ);
}

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
  void start() {
    // Named again, an algorithm is set up anew, in other memory.
    check(EVP_DigestInit_ex2(context_.get(),
                             std::exchange(started_, true) ? nullptr : algorithm_.get(), nullptr));
  }
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
  bool started_ = false;
};

}  // namespace

struct Digester::State {
  Hash sha256{"SHA256"};
  std::unique_ptr<Hash> md5, sha1, sha512;
  std::vector<Hash*> all{&sha256};
  std::unique_ptr<HashLanes> sha1_lanes, sha256_lanes, sha512_lanes;
  bool lanes_made = false;
  std::vector<HashLanes::Message> messages;  ///< kept for its room

  void add(std::unique_ptr<Hash>& hash, const char* name) {
    hash = std::make_unique<Hash>(name);
    all.push_back(hash.get());
  }

  /// Takes more than a millisecond, which a run over a few files is not to pay.
  void make_lanes() {
    if (std::exchange(lanes_made, true)) return;
    using Algorithm = HashLanes::Algorithm;
    sha256_lanes = HashLanes::make(Algorithm::sha256);
    if (sha1) sha1_lanes = HashLanes::make(Algorithm::sha1);
    if (sha512) sha512_lanes = HashLanes::make(Algorithm::sha512);
  }

  /// One algorithm's digest of every short message.
  template <std::size_t Size>
  void digest_short(Hash* hash, HashLanes* lanes, std::array<std::byte, Size> DigestResult::*digest,
                    std::span<const ByteView> all_messages, std::span<DigestResult> results) {
    if (hash == nullptr) return;
    messages.clear();
    for (std::size_t i = 0; i < all_messages.size(); ++i) {
      if (all_messages[i].size() > HashLanes::longest) continue;
      messages.push_back({all_messages[i], (results[i].*digest).data()});
    }
    if (lanes != nullptr && messages.size() >= lanes->least()) {
      lanes->digest(messages);
      return;
    }
    for (std::size_t i = 0; i < all_messages.size(); ++i) {
      if (all_messages[i].size() > HashLanes::longest) continue;
      hash->start();
      hash->update(all_messages[i]);
      hash->finish(results[i].*digest);
    }
  }
};

Digester::Digester(DigestSet set) : state_(std::make_unique<State>()) {
  if (set.md5) state_->add(state_->md5, "MD5");
  if (set.sha1) state_->add(state_->sha1, "SHA1");
  if (set.sha512) state_->add(state_->sha512, "SHA512");
}

Digester::~Digester() = default;

DigestResult Digester::digest(ByteView bytes) {
  for (auto* hash : state_->all) hash->start();
  for (std::size_t done = 0; done < bytes.size();) {
    const auto left = bytes.subspan(done);
    if (done % window_size == 0 && left.size() >= window_size) populate(left.first(window_size));
    const auto block = left.first(std::min(block_size, left.size()));
    const auto rest = left.subspan(block.size());
    prefetch(rest.first(std::min(block_size, rest.size())));
    for (auto* hash : state_->all) hash->update(block);
    done += block.size();
  }
  DigestResult result;
  state_->sha256.finish(result.sha256);
  if (state_->md5) state_->md5->finish(result.md5);
  if (state_->sha1) state_->sha1->finish(result.sha1);
  if (state_->sha512) state_->sha512->finish(result.sha512);
  return result;
}

void Digester::digest(std::span<const ByteView> messages, std::span<DigestResult> results) {
  std::size_t few = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].size() > HashLanes::longest) {
      results[i] = digest(messages[i]);
    } else {
      ++few;
    }
  }
  auto& state = *state_;
  if (few > 1) state.make_lanes();
  state.digest_short(&state.sha256, state.sha256_lanes.get(), &DigestResult::sha256, messages,
                     results);
  state.digest_short(state.md5.get(), nullptr, &DigestResult::md5, messages, results);
  state.digest_short(state.sha1.get(), state.sha1_lanes.get(), &DigestResult::sha1, messages,
                     results);
  state.digest_short(state.sha512.get(), state.sha512_lanes.get(), &DigestResult::sha512, messages,
                     results);
}

Sha256 Digester::sha256(std::initializer_list<ByteView> pieces) {
  Sha256 result{};
  state_->sha256.start();
  for (const auto piece : pieces) state_->sha256.update(piece);
  state_->sha256.finish(result);
  return result;
}

void to_hex(ByteView bytes, char* digits) noexcept {
  constexpr const char* values = "0123456789abcdef";
  for (const auto byte : bytes) {
    const auto value = std::to_integer<unsigned>(byte);
    *digits++ = values[value >> 4U];
    *digits++ = values[value & 15U];
  }
}

void append_hex(std::string& out, ByteView bytes) {
  const auto before = out.size();
  out.resize(before + 2 * bytes.size());
  to_hex(bytes, out.data() + before);
}

}  // namespace stoq::support
