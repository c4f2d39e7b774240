#include "sevenzip_decoders.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <span>

#include <bzlib.h>
#include <lz4frame.h>
#include <openssl/evp.h>
#include <zlib.h>
#include <zstd.h>

#include <stoq/error.hpp>

namespace archive_plugin::sevenzip {

namespace {

using stoq::ByteView;
using stoq::Unsupported;
using stoq::common::data_as;
using stoq::common::Step;
using stoq::common::StreamDecoder;

class Xz : public StreamDecoder {
 public:
  explicit Xz(const lzma_filter* filters) {
    const auto code = lzma_raw_decoder(&stream_, filters);
    if (code == LZMA_MEM_ERROR) throw std::bad_alloc();
    if (code != LZMA_OK) throw Unsupported("the coder's properties make no sense to liblzma");
  }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;
  ~Xz() override { lzma_end(&stream_); }

  Step step(ByteView in, std::span<std::byte> out) override {
    stream_.next_in = data_as<std::uint8_t>(in);
    stream_.avail_in = in.size();
    stream_.next_out = data_as<std::uint8_t>(out);
    stream_.avail_out = out.size();
    const auto code = lzma_code(&stream_, LZMA_RUN);
    Step done{in.size() - stream_.avail_in, out.size() - stream_.avail_out};
    if (code == LZMA_STREAM_END) {
      done.state = Step::State::end;
    } else if (code == LZMA_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (code != LZMA_OK && code != LZMA_BUF_ERROR) {
      done.state = Step::State::corrupt;
      done.reason = "LZMA data makes no sense";
    }
    return done;
  }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

class Deflate : public StreamDecoder {
 public:
  Deflate() {
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;
  ~Deflate() override { inflateEnd(&stream_); }

  Step step(ByteView in, std::span<std::byte> out) override {
    const auto room = std::min(out.size(), most_step);
    // zlib only reads next_in; its type knows no const.
    stream_.next_in =
        const_cast<Bytef*>(data_as<Bytef>(in));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = data_as<Bytef>(out);
    stream_.avail_out = static_cast<uInt>(room);
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    Step done{in.size() - stream_.avail_in, room - stream_.avail_out};
    if (code == Z_STREAM_END) {
      done.state = Step::State::end;
    } else if (code == Z_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      done.state = Step::State::corrupt;
      done.reason = "deflate data makes no sense";
    }
    return done;
  }

 private:
  static constexpr std::size_t most_step = std::size_t{1} << 30U;
  z_stream stream_{};
};

/// One stream, or several in a row.
class Bzip2 : public StreamDecoder {
 public:
  Bzip2() { begin(); }
  Bzip2(const Bzip2&) = delete;
  Bzip2& operator=(const Bzip2&) = delete;
  ~Bzip2() override { BZ2_bzDecompressEnd(&stream_); }

  Step step(ByteView in, std::span<std::byte> out) override {
    if (between_ && !in.empty()) {
      BZ2_bzDecompressEnd(&stream_);
      begin();
    }
    if (between_) return {};
    // bzlib only reads next_in; its type knows no const.
    stream_.next_in =
        const_cast<char*>(data_as<char>(in));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    stream_.avail_in = static_cast<unsigned>(in.size());
    const auto room = std::min(out.size(), std::size_t{1} << 30U);
    stream_.next_out = data_as<char>(out);
    stream_.avail_out = static_cast<unsigned>(room);
    const int code = BZ2_bzDecompress(&stream_);
    Step done{in.size() - stream_.avail_in, room - stream_.avail_out};
    if (code == BZ_STREAM_END) {
      between_ = true;
    } else if (code == BZ_MEM_ERROR) {
      throw std::bad_alloc();
    } else if (code != BZ_OK) {
      done.state = Step::State::corrupt;
      done.reason = "bzip2 data makes no sense";
    }
    return done;
  }

 private:
  void begin() {
    stream_ = {};
    if (BZ2_bzDecompressInit(&stream_, 0, 0) != BZ_OK) throw std::bad_alloc();
    between_ = false;
  }
  bz_stream stream_{};
  bool between_ = false;
};

class Zstd : public StreamDecoder {
 public:
  Zstd() : context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, std::countr_zero(most_zstd_window));
  }
  Step step(ByteView in, std::span<std::byte> out) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const auto code = ZSTD_decompressStream(context_.get(), &output, &input);
    Step done{input.pos, output.pos};
    if (ZSTD_isError(code) != 0) {
      done.state = Step::State::corrupt;
      done.reason = ZSTD_getErrorName(code);
    }
    return done;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context_;
};

class Lz4 : public StreamDecoder {
 public:
  Lz4() {
    LZ4F_dctx* context = nullptr;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) {
      throw std::bad_alloc();
    }
    context_.reset(context);
  }
  Step step(ByteView in, std::span<std::byte> out) override {
    std::size_t consumed = in.size();
    std::size_t produced = out.size();
    const auto code =
        LZ4F_decompress(context_.get(), out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(code) != 0) return {0, 0, Step::State::corrupt, LZ4F_getErrorName(code)};
    return {consumed, produced};
  }

 private:
  struct Free {
    void operator()(LZ4F_dctx* context) const noexcept { LZ4F_freeDecompressionContext(context); }
  };
  std::unique_ptr<LZ4F_dctx, Free> context_;
};

/// AES-256-CBC. What is no whole block at the end is left out.
class Aes : public StreamDecoder {
 public:
  Aes(ByteView key, ByteView vector) : context_(EVP_CIPHER_CTX_new()) {
    if (context_ == nullptr ||
        EVP_DecryptInit_ex(context_.get(), EVP_aes_256_cbc(), nullptr, data_as<unsigned char>(key),
                           data_as<unsigned char>(vector)) != 1 ||
        EVP_CIPHER_CTX_set_padding(context_.get(), 0) != 1) {
      throw Unsupported("this libcrypto has no AES-256-CBC");
    }
  }
  Step step(ByteView in, std::span<std::byte> out) override {
    Step done;
    while (done.produced == 0 && (used_ < end_ || !in.empty())) {
      if (used_ == end_) {
        const auto part = in.first(std::min(in.size(), plain_.size() - block));
        int count = 0;
        EVP_DecryptUpdate(context_.get(), plain_.data(), &count, data_as<unsigned char>(part),
                          static_cast<int>(part.size()));
        used_ = 0;
        end_ = static_cast<std::size_t>(count);
        done.consumed += part.size();
        in = in.subspan(part.size());
      }
      done.produced = std::min(out.size(), end_ - used_);
      if (done.produced > 0) std::memcpy(out.data(), plain_.data() + used_, done.produced);
      used_ += done.produced;
    }
    return done;
  }

 private:
  static constexpr std::size_t block = 16;
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
  };
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;
  std::array<unsigned char, 4096 + block> plain_{};
  std::size_t used_ = 0;
  std::size_t end_ = 0;
};

}  // namespace

Decoder make_xz(const lzma_filter* filters) { return std::make_unique<Xz>(filters); }
Decoder make_deflate() { return std::make_unique<Deflate>(); }
Decoder make_bzip2() { return std::make_unique<Bzip2>(); }
Decoder make_zstd() { return std::make_unique<Zstd>(); }
Decoder make_lz4() { return std::make_unique<Lz4>(); }
Decoder make_aes(ByteView key, ByteView vector) { return std::make_unique<Aes>(key, vector); }

}  // namespace archive_plugin::sevenzip
