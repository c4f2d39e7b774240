/// The MIME type of a payload: by its signature where that settles it, else by libmagic. Goes to
/// the record's `file.mime_type`.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <magic.h>

#include <stoq/plugin.hpp>

#include "signatures.hpp"

namespace {

/// libmagic's own bounds (5.44's defaults, written down so that another release's cannot loosen
/// them): how deep a rule may refer to others, and how far a regular expression and the look at the
/// text's encoding reach. ELF's are no matter: with a buffer libmagic reads no ELF headers.
constexpr std::size_t most_indirections = 50;
constexpr std::size_t most_names = 50;
constexpr std::size_t regex_window = 8192;
constexpr std::size_t encoding_window = 65536;

class Magic {
 public:
  Magic(const std::string& database, std::size_t window) : handle_(::magic_open(MAGIC_MIME_TYPE)) {
    if (!handle_) throw stoq::ConfigError("mimetype: libmagic cannot be opened: out of memory");
    if (::magic_load(handle_.get(), database.empty() ? nullptr : database.c_str()) != 0) {
      const char* reason = ::magic_error(handle_.get());
      throw stoq::ConfigError("mimetype: no magic database" +
                              (database.empty() ? std::string{} : " in " + database) + ": " +
                              (reason != nullptr ? reason : "unknown reason") +
                              " (Debian's package libmagic-mgc has one)");
    }
    set(MAGIC_PARAM_INDIR_MAX, most_indirections);
    set(MAGIC_PARAM_NAME_MAX, most_names);
    set(MAGIC_PARAM_REGEX_MAX, regex_window);
    set(MAGIC_PARAM_ENCODING_MAX, encoding_window);
    set(MAGIC_PARAM_BYTES_MAX, window);
  }

  /// Null when libmagic fails; error() says why.
  [[nodiscard]] const char* type(stoq::ByteView bytes) const {
    // What is sure to be binary needs no second look for text; CSV is text.
    const auto unneeded = is_surely_binary(bytes, encoding_window)
                              ? MAGIC_NO_CHECK_ENCODING | MAGIC_NO_CHECK_TEXT | MAGIC_NO_CHECK_CSV
                              : MAGIC_NONE;
    ::magic_setflags(handle_.get(), MAGIC_MIME_TYPE | unneeded);
    return ::magic_buffer(handle_.get(), bytes.data(), bytes.size());
  }
  [[nodiscard]] std::string error() const {
    const char* reason = ::magic_error(handle_.get());
    return reason != nullptr ? reason : "unknown reason";
  }

 private:
  struct Close {
    void operator()(::magic_t handle) const noexcept { ::magic_close(handle); }
  };
  void set(int parameter, std::size_t value) { ::magic_setparam(handle_.get(), parameter, &value); }

  std::unique_ptr<::magic_set, Close> handle_;
};

class Mimetype : public stoq::Worker {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    magic_bytes_ = options.get("magic_bytes", magic_bytes_,
                               "how much of a payload libmagic is shown, in bytes");
    database_ = options.get("magic_file", "", "libmagic's database; empty: the system's");
    if (magic_bytes_ < 64) {
      throw stoq::ConfigError("mimetype: magic_bytes is " + std::to_string(magic_bytes_) +
                              ", which is too few to tell a type (at least 64)");
    }
    (void)magic_.lease();  // a missing database ends the run before it starts
  }

  stoq::Value scan(const stoq::Payload& payload, const stoq::Request&) const override {
    const auto bytes = payload.view();
    if (const auto type = type_by_signature(bytes); !type.empty()) return found(type);
    auto magic = magic_.lease();
    const char* type = magic->type(bytes.first(std::min(magic_bytes_, bytes.size())));
    if (type != nullptr) {
      const bool unknown = type == std::string_view("application/octet-stream");
      return found(unknown && ends_as_zip(bytes) ? "application/zip" : type);
    }
    stoq::Value failed{{"error", "libmagic failed: " + magic->error()}};
    magic.discard();
    return failed;
  }

 private:
  static stoq::Value found(std::string_view type) {
    return {{"file", stoq::Value::Object{{"mime_type", type}}}};
  }

  std::size_t magic_bytes_ = std::size_t{7} << 20;  // as much as `file` reads
  std::string database_;
  stoq::PerThread<Magic> magic_{
      [this] { return std::make_unique<Magic>(database_, magic_bytes_); }};
};

}  // namespace

STOQ_PLUGIN(Mimetype)
