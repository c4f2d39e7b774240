#include "encoder.hpp"

#include <cstddef>

#include <libdeflate.h>
#include <zstd.h>

#include <stoq/error.hpp>

namespace file_connector {
namespace {

class Plain : public Encoder {
 public:
  std::string_view encode(std::string_view block) override { return block; }
  std::string_view finish() override { return {}; }
  bool is_plain() const noexcept override { return true; }
};

/// One gzip member a block (RFC 1952, 2.2): what is written decompresses up to the last whole
/// block even if the run is killed, and libdeflate is several times faster than zlib's stream.
class Gzip : public Encoder {
 public:
  explicit Gzip(int level) : compressor_(libdeflate_alloc_compressor(level)) {
    if (!compressor_) {
      throw stoq::ConfigError("file: gzip has no level " + std::to_string(level) +
                              " (1 to 12 are known)");
    }
  }

  std::string_view encode(std::string_view block) override {
    wrote_ = true;
    out_.resize(libdeflate_gzip_compress_bound(compressor_.get(), block.size()));
    const auto size = libdeflate_gzip_compress(compressor_.get(), block.data(), block.size(),
                                               out_.data(), out_.size());
    if (size == 0) throw stoq::IoError("file: gzip failed on a block of results");
    return std::string_view(out_).substr(0, size);
  }
  /// Nothing at all is no gzip file: an empty result set is one empty member.
  std::string_view finish() override { return wrote_ ? std::string_view{} : encode({}); }

 private:
  struct Free {
    void operator()(libdeflate_compressor* compressor) const noexcept {
      libdeflate_free_compressor(compressor);
    }
  };
  std::unique_ptr<libdeflate_compressor, Free> compressor_;
  std::string out_;
  bool wrote_ = false;
};

/// One frame with a checksum, or one a block.
class Zstd : public Encoder {
 public:
  Zstd(int level, Blocks blocks) : context_(ZSTD_createCCtx()), blocks_(blocks) {
    if (level < 0 || level > ZSTD_maxCLevel()) {
      throw stoq::ConfigError("file: Zstandard has no level " + std::to_string(level) + " (1 to " +
                              std::to_string(ZSTD_maxCLevel()) + " are known)");
    }
    set(ZSTD_c_compressionLevel, level);
    set(ZSTD_c_checksumFlag, 1);
  }

  std::string_view encode(std::string_view block) override {
    wrote_ = true;
    return run(block, blocks_ == Blocks::apart ? ZSTD_e_end : ZSTD_e_continue);
  }
  std::string_view finish() override {
    return wrote_ && blocks_ == Blocks::apart ? std::string_view{} : run({}, ZSTD_e_end);
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
  };

  void set(ZSTD_cParameter parameter, int value) {
    check(ZSTD_CCtx_setParameter(context_.get(), parameter, value));
  }
  static std::size_t check(std::size_t code) {
    if (ZSTD_isError(code) != 0) {
      throw stoq::IoError(std::string("file: Zstandard failed: ") + ZSTD_getErrorName(code));
    }
    return code;
  }

  std::string_view run(std::string_view block, ZSTD_EndDirective directive) {
    out_.resize(ZSTD_compressBound(block.size()) + ZSTD_CStreamOutSize());
    ZSTD_inBuffer in{block.data(), block.size(), 0};
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    for (;;) {
      const auto left = check(ZSTD_compressStream2(context_.get(), &out, &in, directive));
      if (directive == ZSTD_e_end ? left == 0 : in.pos == in.size) break;
      out_.resize(out_.size() + ZSTD_CStreamOutSize());
      out.dst = out_.data();
      out.size = out_.size();
    }
    return std::string_view(out_).substr(0, out.pos);
  }

  std::unique_ptr<ZSTD_CCtx, Free> context_;
  Blocks blocks_;
  std::string out_;
  bool wrote_ = false;
};

}  // namespace

std::unique_ptr<Encoder> make_encoder(std::string_view path, int level, Blocks blocks) {
  if (path.ends_with(".gz")) return std::make_unique<Gzip>(level == 0 ? 6 : level);
  if (path.ends_with(".zst")) return std::make_unique<Zstd>(level == 0 ? 3 : level, blocks);
  return std::make_unique<Plain>();
}

}  // namespace file_connector
