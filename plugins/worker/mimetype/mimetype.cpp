/// The MIME type of a payload: by its signature where that settles it, else by libmagic. Goes to
/// the record's `file.mime_type`.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <stoq/plugin.hpp>

#include "libmagic.hpp"
#include "selective_magic.hpp"
#include "signatures.hpp"

namespace {

class Mimetype : public stoq::Worker {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host& host) override {
    magic_bytes_ = options.get("magic_bytes", magic_bytes_,
                               "how much of a payload libmagic is shown, in bytes");
    database_ = options.get("magic_file", "", "libmagic's database; empty: the system's");
    if (magic_bytes_ < 64) {
      throw stoq::ConfigError("mimetype: magic_bytes is " + std::to_string(magic_bytes_) +
                              ", which is too few to tell a type (at least 64)");
    }
    std::string why;
    if (auto file = MagicFile::read(database_, why)) {
      magic_ = std::make_unique<const IndexedMagic>(std::move(file));
    } else {
      host.log(stoq::LogLevel::info,
               "mimetype: every rule of libmagic is tried on every payload "
               "of no simple type, which is slower: " +
                   why);
    }
    (void)all_.lease();  // a missing database ends the run before it starts
  }

  stoq::Value scan(const stoq::Payload& payload, const stoq::Request&) const override {
    const auto bytes = payload.view();
    if (const auto type = type_by_signature(bytes); !type.empty()) return found(type);
    const auto head = bytes.first(std::min(magic_bytes_, bytes.size()));
    if (magic_) {
      auto selective = selective_.lease();
      if (const auto type = selective->type(head)) return found(*type, bytes);
    }
    auto all = all_.lease();
    // What is sure to be binary needs no second look for text; CSV is text.
    const auto unneeded = is_surely_binary(head, encoding_window)
                              ? MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_TEXT | MAGIC_NO_CHECK_CSV
                              : MAGIC_NONE;
    if (const char* type = all->type(head, unneeded)) return found(type, bytes);
    stoq::Value failed{{"error", "libmagic failed: " + all->error()}};
    all.discard();
    return failed;
  }

 private:
  static stoq::Value found(std::string_view type) {
    return {{"file", stoq::Value::Object{{"mime_type", type}}}};
  }
  /// What libmagic says, but for zip files that it knows by their end, in files only.
  static stoq::Value found(std::string_view type, stoq::ByteView bytes) {
    return found(type == "application/octet-stream" && ends_as_zip(bytes) ? "application/zip"
                                                                          : type);
  }

  std::size_t magic_bytes_ = std::size_t{7} << 20;  // as much as `file` reads
  std::string database_;
  std::unique_ptr<const IndexedMagic> magic_;
  stoq::PerThread<SelectiveMagic> selective_{
      [this] { return std::make_unique<SelectiveMagic>(*magic_, magic_bytes_); }};
  stoq::PerThread<Libmagic> all_{[this] {
    auto magic = std::make_unique<Libmagic>(magic_bytes_);
    magic->load(database_);
    return magic;
  }};
};

}  // namespace

STOQ_PLUGIN(Mimetype)
