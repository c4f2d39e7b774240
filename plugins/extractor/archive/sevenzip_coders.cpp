#include "sevenzip_coders.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lzma.h>

#include "pkzip.hpp"
#include "sevenzip_bcj2.hpp"
#include "sevenzip_decoders.hpp"
#include "stream.hpp"

namespace archive_plugin::sevenzip {

namespace {

using stoq::ByteView;
using stoq::MalformedInput;
using stoq::Unsupported;
using stoq::common::Step;
using stoq::common::StreamDecoder;

// Of Methods.txt; zstd and lz4 are those of 7-Zip ZS.
enum Method : std::uint64_t {
  method_copy = 0x00,
  method_delta = 0x03,
  method_x86 = 0x04,
  method_ppc = 0x05,
  method_ia64 = 0x06,
  method_arm = 0x07,
  method_armt = 0x08,
  method_sparc = 0x09,
  method_arm64 = 0x0a,
  method_lzma2 = 0x21,
  method_lzma = 0x030101,
  method_bcj_x86 = 0x03030103,
  method_bcj2 = 0x0303011b,
  method_bcj_ppc = 0x03030205,
  method_bcj_ia64 = 0x03030401,
  method_bcj_arm = 0x03030501,
  method_bcj_armt = 0x03030701,
  method_bcj_sparc = 0x03030805,
  method_ppmd = 0x030401,
  method_deflate = 0x040108,
  method_deflate64 = 0x040109,
  method_bzip2 = 0x040202,
  method_zstd = 0x04f71101,
  method_lz4 = 0x04f71104,
  method_aes = 0x06f10701,
};

constexpr std::size_t piece = std::size_t{64} << 10U;
constexpr std::uint64_t most_memory = std::uint64_t{256} << 20U;

class Packed : public Stream {
 public:
  explicit Packed(ByteView data) noexcept : data_(data) {}
  std::size_t read(std::span<std::byte> out) override {
    const auto count = std::min(out.size(), data_.size());
    std::copy_n(data_.begin(), count, out.begin());
    data_ = data_.subspan(count);
    return count;
  }

 private:
  ByteView data_;
};

/// Ends where the coder is said to: paddings and end marks behind it are not looked at.
class Limited : public Stream {
 public:
  Limited(std::unique_ptr<Stream> source, std::uint64_t size) noexcept
      : source_(std::move(source)), left_(size) {}
  std::size_t read(std::span<std::byte> out) override {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), left_));
    const auto count = most == 0 ? 0 : source_->read(out.first(most));
    left_ -= count;
    return count;
  }

 private:
  std::unique_ptr<Stream> source_;
  std::uint64_t left_;
};

/// Runs a decompressor over another stream.
class Decoded : public Stream {
 public:
  Decoded(std::unique_ptr<Stream> source, std::unique_ptr<StreamDecoder> decoder)
      : source_(std::move(source)), decoder_(std::move(decoder)), held_(piece) {}

  std::size_t read(std::span<std::byte> out) override {
    while (!ended_) {
      if (next_ == end_ && !dry_) {
        next_ = 0;
        end_ = source_->read(held_);
        dry_ = end_ == 0;
      }
      const auto step = decoder_->step(ByteView(held_).subspan(next_, end_ - next_), out);
      next_ += step.consumed;
      if (step.state == Step::State::unsupported) throw Unsupported(step.reason);
      if (step.state == Step::State::corrupt && step.produced == 0) {
        throw MalformedInput(step.reason);
      }
      ended_ = step.state == Step::State::end;
      if (step.produced > 0) return step.produced;
      if (!ended_ && dry_ && step.consumed == 0) throw MalformedInput("compressed data ends early");
    }
    return 0;
  }

 private:
  std::unique_ptr<Stream> source_;
  std::unique_ptr<StreamDecoder> decoder_;
  std::vector<std::byte> held_;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
  bool dry_ = false;
  bool ended_ = false;
};

/// liblzma runs a branch filter in front of LZMA2 only: this makes any data LZMA2 that stores it.
class Stored : public Stream {
 public:
  explicit Stored(std::unique_ptr<Stream> source)
      : source_(std::move(source)), held_(header + most) {}

  std::size_t read(std::span<std::byte> out) override {
    if (next_ == end_ && !ended_) refill();
    const auto count = std::min(out.size(), end_ - next_);
    std::copy_n(held_.begin() + static_cast<std::ptrdiff_t>(next_), count, out.begin());
    next_ += count;
    return count;
  }

 private:
  static constexpr std::size_t header = 3;
  static constexpr std::size_t most = std::size_t{1} << 16U;

  void refill() {
    const auto size = source_->read(std::span(held_).subspan(header));
    next_ = 0;
    end_ = size == 0 ? 1 : header + size;
    ended_ = size == 0;
    held_[0] = std::byte{size == 0 ? std::uint8_t{0} : first_ ? std::uint8_t{1} : std::uint8_t{2}};
    if (ended_) return;
    held_[1] = static_cast<std::byte>((size - 1) >> 8U);
    held_[2] = static_cast<std::byte>((size - 1) & 0xffU);
    first_ = false;
  }

  std::unique_ptr<Stream> source_;
  std::vector<std::byte> held_;
  std::size_t next_ = 0;
  std::size_t end_ = 0;
  bool first_ = true;
  bool ended_ = false;
};

/// Scratch memory that grows as bytes come, up to `most`.
class Scratch : public stoq::Buffer {
 public:
  explicit Scratch(std::size_t most) noexcept { most_ = most; }

 protected:
  void grow(std::size_t least) override {
    storage_.resize(std::max(least, std::min(most_, 2 * storage_.size())));
    data_ = storage_.data();
    capacity_ = storage_.size();
  }
  void charge() override { charged_ = size_; }

 private:
  std::vector<std::byte> storage_;
};

/// Reads all of a stream; `most` is what it may be.
void read_all(Stream& source, Scratch& into, const stoq::Request& request) {
  for (std::size_t count = 1; count > 0;) {
    if (request.stop_requested()) throw MalformedInput("stopped before the end");
    if (into.remaining() == 0) throw Unsupported("deflate64 of more than can be held");
    count = source.read(into.prepare(std::min(piece, into.remaining())));
    into.commit(count);
  }
}

/// Decoded in one go: a method that is rare, by a decoder that wants all of it.
class Deflate64 : public Stream {
 public:
  Deflate64(std::unique_ptr<Stream> source, std::uint64_t size, const stoq::Request& request)
      : source_(std::move(source)),
        plain_(static_cast<std::size_t>(std::min(size, most_memory))),
        request_(request) {}

  std::size_t read(std::span<std::byte> out) override {
    if (source_ != nullptr) decode();
    const auto rest = plain_.view().subspan(used_);
    if (rest.empty() && !fault_.empty()) throw MalformedInput(fault_);
    const auto count = std::min(out.size(), rest.size());
    std::copy_n(rest.begin(), count, out.begin());
    used_ += count;
    return count;
  }

 private:
  void decode() {
    const auto source = std::move(source_);
    Scratch packed(static_cast<std::size_t>(most_memory));
    read_all(*source, packed, request_);
    try {
      stoq::common::inflate64(packed.view(), plain_);
    } catch (const MalformedInput& error) {
      fault_ = error.what();
    }
  }

  std::unique_ptr<Stream> source_;
  Scratch plain_;
  const stoq::Request& request_;
  std::string fault_;
  std::size_t used_ = 0;
};

lzma_vli branch_filter(std::uint64_t method) noexcept {
  switch (method) {
    case method_x86:
    case method_bcj_x86:
      return LZMA_FILTER_X86;
    case method_ppc:
    case method_bcj_ppc:
      return LZMA_FILTER_POWERPC;
    case method_ia64:
    case method_bcj_ia64:
      return LZMA_FILTER_IA64;
    case method_arm:
    case method_bcj_arm:
      return LZMA_FILTER_ARM;
    case method_armt:
    case method_bcj_armt:
      return LZMA_FILTER_ARMTHUMB;
    case method_sparc:
    case method_bcj_sparc:
      return LZMA_FILTER_SPARC;
    case method_arm64:
      return LZMA_FILTER_ARM64;
    default:
      return LZMA_VLI_UNKNOWN;
  }
}

/// Makes the streams of one folder, and sees to it that together they stay within memory.
class Builder {
 public:
  Builder(const Folder& folder, Keyring& keyring, const stoq::Request& request) noexcept
      : folder_(folder), keyring_(keyring), request_(request), built_(folder.coders.size()) {}

  std::unique_ptr<Stream> coder(std::size_t index) {
    const auto& coder = folder_.coders[index];
    if (built_[index]) throw MalformedInput("7z: coders feed each other in a ring");
    built_[index] = true;
    std::unique_ptr<Stream> stream;
    if (coder.id == method_bcj2) {
      if (coder.inputs != 4) throw MalformedInput("7z: BCJ2 without its four inputs");
      std::array<std::unique_ptr<Stream>, 4> inputs;
      for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i] = input(coder.first_input + i);
      stream = make_bcj2(std::move(inputs));
    } else {
      if (coder.inputs != 1) unknown(coder);
      stream = simple(coder);
    }
    return std::make_unique<Limited>(std::move(stream), coder.size);
  }

 private:
  std::unique_ptr<Stream> input(std::size_t index) {
    if (folder_.bound[index]) return coder(*folder_.bound[index]);
    return std::make_unique<Packed>(folder_.packed[index]);
  }

  std::unique_ptr<Stream> simple(const Coder& coder) {
    auto source = input(coder.first_input);
    if (coder.id == method_copy) return source;
    if (coder.id == method_deflate64) {
      take_memory(coder.size);
      return std::make_unique<Deflate64>(std::move(source), coder.size, request_);
    }
    if (coder.id == method_delta || branch_filter(coder.id) != LZMA_VLI_UNKNOWN) {
      return std::make_unique<Decoded>(std::make_unique<Stored>(std::move(source)), filter(coder));
    }
    return std::make_unique<Decoded>(std::move(source), decoder(coder));
  }

  std::unique_ptr<StreamDecoder> decoder(const Coder& coder) {
    switch (coder.id) {
      case method_lzma:
        return lzma(coder);
      case method_lzma2:
        return lzma2(coder);
      case method_deflate:
        return make_deflate();
      case method_bzip2:
        return make_bzip2();
      case method_zstd:
        take_memory(most_zstd_window);
        return make_zstd();
      case method_lz4:
        return make_lz4();
      case method_aes:
        return aes(coder);
      default:
        unknown(coder);
    }
  }

  std::unique_ptr<StreamDecoder> lzma(const Coder& coder) {
    constexpr unsigned most = 9 * 5 * 5;
    if (coder.properties.size() != 5) throw MalformedInput("7z: LZMA without its five properties");
    stoq::Cursor in(coder.properties);
    unsigned packed = in.le<std::uint8_t>();
    if (packed >= most) throw MalformedInput("7z: LZMA properties out of range");
    lzma_options_lzma options{};
    options.lc = packed % 9;
    packed /= 9;
    options.lp = packed % 5;
    options.pb = packed / 5;
    if (options.lc + options.lp > LZMA_LCLP_MAX) {
      throw Unsupported("7z: LZMA with lc + lp > 4, which liblzma does not read");
    }
    options.dict_size = dictionary(in.le<std::uint32_t>(), coder.size);
    return raw({LZMA_FILTER_LZMA1, &options});
  }

  std::unique_ptr<StreamDecoder> lzma2(const Coder& coder) {
    constexpr unsigned most = 40;
    if (coder.properties.size() != 1) throw MalformedInput("7z: LZMA2 without its property");
    const auto bits = std::to_integer<unsigned>(coder.properties[0]);
    if (bits > most) throw MalformedInput("7z: LZMA2 property out of range");
    const auto claimed = bits == most ? 0xffffffffULL : (2ULL | (bits & 1U)) << (bits / 2 + 11);
    lzma_options_lzma options{};
    options.dict_size = dictionary(claimed, coder.size);
    return raw({LZMA_FILTER_LZMA2, &options});
  }

  static std::unique_ptr<StreamDecoder> raw(const lzma_filter& last) {
    const std::array<lzma_filter, 2> chain{last, lzma_filter{LZMA_VLI_UNKNOWN, nullptr}};
    return make_xz(chain.data());
  }

  static std::unique_ptr<StreamDecoder> filter(const Coder& coder) {
    lzma_options_delta delta{};
    delta.type = LZMA_DELTA_TYPE_BYTE;
    lzma_options_bcj branch{};
    lzma_filter first{LZMA_FILTER_DELTA, &delta};
    if (coder.id == method_delta) {
      if (coder.properties.size() != 1) throw MalformedInput("7z: delta without its distance");
      delta.dist = std::to_integer<std::uint32_t>(coder.properties[0]) + 1;
    } else {
      if (coder.properties.size() >= 4) {
        branch.start_offset = stoq::Cursor(coder.properties).le<std::uint32_t>();
      }
      first = {branch_filter(coder.id), &branch};
    }
    lzma_options_lzma stored{};
    stored.dict_size = LZMA_DICT_SIZE_MIN;
    const std::array<lzma_filter, 3> chain{first, lzma_filter{LZMA_FILTER_LZMA2, &stored},
                                           lzma_filter{LZMA_VLI_UNKNOWN, nullptr}};
    return make_xz(chain.data());
  }

  std::unique_ptr<StreamDecoder> aes(const Coder& coder) {
    stoq::Cursor in(coder.properties);
    const unsigned first = in.le<std::uint8_t>();
    const unsigned second = (first & 0xc0) != 0 ? in.le<std::uint8_t>() : 0U;
    const auto salt = in.take((first >> 7U & 1U) + (second >> 4U));
    const auto start = in.take((first >> 6U & 1U) + (second & 0x0fU));
    std::array<std::byte, 16> vector{};
    std::copy(start.begin(), start.end(), vector.begin());
    return make_aes(keyring_.key(first & 0x3fU, salt), vector);
  }

  /// A dictionary larger than what comes out is never used.
  std::uint32_t dictionary(std::uint64_t claimed, std::uint64_t size) {
    const auto needed = std::max<std::uint64_t>(std::min(claimed, size), LZMA_DICT_SIZE_MIN);
    take_memory(needed);
    return static_cast<std::uint32_t>(needed);
  }
  void take_memory(std::uint64_t size) {
    if (size > memory_) {
      throw Unsupported("7z: the folder wants a dictionary of " + std::to_string(size) +
                        " bytes, and may have " + std::to_string(memory_));
    }
    memory_ -= size;
  }
  [[noreturn]] static void unknown(const Coder& coder) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string id;
    for (auto rest = coder.id; rest != 0 || id.empty(); rest >>= 4U) {
      id.insert(id.begin(), digits[rest & 0x0fU]);
    }
    throw Unsupported("7z: no decoder for method " + id);
  }

  const Folder& folder_;
  Keyring& keyring_;
  const stoq::Request& request_;
  std::vector<bool> built_;
  std::uint64_t memory_ = most_memory;
};

}  // namespace

bool is_encrypted(const Folder& folder) noexcept {
  return std::any_of(folder.coders.begin(), folder.coders.end(),
                     [](const Coder& coder) { return coder.id == method_aes; });
}

bool needs_libarchive(const Folder& folder) noexcept {
  return std::any_of(folder.coders.begin(), folder.coders.end(),
                     [](const Coder& coder) { return coder.id == method_ppmd; });
}

std::unique_ptr<Stream> open(const Folder& folder, Keyring& keyring, const stoq::Request& request) {
  if (!folder.fault.empty()) throw MalformedInput("7z: " + folder.fault);
  return Builder(folder, keyring, request).coder(folder.last);
}

}  // namespace archive_plugin::sevenzip
