/// Brings out what tar, 7z, rar, cab, iso9660, cpio, ar, lha, xar, warc and rpm archives hold.
/// One layer a payload: a tar in a gzip is the business of two plugins. No program is ever started.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

#include "formats.hpp"
#include "libarchive_reader.hpp"
#include "rar5.hpp"

namespace {

using stoq::common::ArchiveMember;
using stoq::common::ArchiveReader;

constexpr std::array<std::string_view, 16> known = {"tar", "7z",      "7zip", "rar", "rar5", "cab",
                                                    "iso", "iso9660", "cpio", "ar",  "deb",  "lha",
                                                    "xar", "warc",    "rpm",  "zip"};
constexpr const char* default_formats =
    "tar, 7z, rar, rar5, cab, iso, cpio, ar, lha, xar, warc, rpm";

bool begins(const stoq::Payload& payload, std::string_view magic, std::size_t offset = 0) {
  return stoq::fits(payload.view(), offset, magic.size()) &&
         stoq::as_chars(payload.view().subspan(offset, magic.size())) == magic;
}

class Archive : public stoq::Extractor {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    formats_ = options.get_list("format_list", "formats to try when the dispatch rule names none",
                                default_formats);
    passwords_ = options.get_list("password_list",
                                  "passwords to try, in turn, on encrypted 7z and zip archives",
                                  "infected, password, malware, virus");
    for (const auto& format : formats_) {
      if (!is_known(format)) {
        throw stoq::ConfigError("archive: format_list names '" + format + "', expected some of " +
                                default_formats);
      }
    }
  }

  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void extract(const stoq::Payload& payload, const stoq::Request& request,
               stoq::Children& children) const override {
    const auto asked = request.args().text("format");
    if (!asked.empty() && !is_known(asked)) {
      throw stoq::Unsupported("archive: the rule asks for format '" + std::string(asked) +
                              "', known are " + default_formats + ", zip");
    }
    if (payload.bytes.empty()) throw stoq::MalformedInput("archive: empty payload");
    if (is_to_be(asked, "rpm", begins(payload, "\xed\xab\xee\xdb"))) {
      archive_plugin::extract_rpm(payload, request, children);
    } else if (is_to_be(asked, "cab", begins(payload, "MSCF"))) {
      archive_plugin::extract_cab(payload, request, children);
    } else if (!extract_here(payload, asked, request, children)) {
      extract_with_libarchive(payload, asked, request, children);
    }
  }

 private:
  /// Tries what is read here in part, and else by libarchive. False when nothing was brought out.
  bool extract_here(const stoq::Payload& payload, std::string_view asked,
                    const stoq::Request& request, stoq::Children& children) const {
    const bool sevenzip = begins(payload, "7z\xbc\xaf\x27\x1c");
    if (is_to_be(asked, "7z", sevenzip) || is_to_be(asked, "7zip", sevenzip)) {
      return archive_plugin::extract_7z(payload, request, passwords_, children);
    }
    return is_to_be(asked, "lha", begins(payload, "-l", 2) || begins(payload, "-pm", 2)) &&
           archive_plugin::extract_lha(payload, request, children);
  }

  static bool is_known(std::string_view format) {
    return std::find(known.begin(), known.end(), format) != known.end();
  }

  /// Whether to read the payload as `format`: the rule says so, or says nothing, the options
  /// allow it and the payload looks like it.
  bool is_to_be(std::string_view asked, std::string_view format, bool looks_like) const {
    if (!asked.empty()) return asked == format;
    return looks_like && std::find(formats_.begin(), formats_.end(), format) != formats_.end();
  }

  void allow(ArchiveReader& reader, std::string_view asked) const {
    const auto allow_one = [&reader](std::string_view format) {
      if (format == "rpm") return;
      // What is called rar is either of two formats.
      if (!reader.allow_format(format) || (format == "rar" && !reader.allow_format("rar5"))) {
        throw stoq::Unsupported("archive: this libarchive cannot read " + std::string(format));
      }
    };
    if (!asked.empty()) {
      allow_one(asked);
    } else {
      for (const auto& format : formats_) allow_one(format);
    }
  }

  void extract_with_libarchive(const stoq::Payload& payload, std::string_view asked,
                               const stoq::Request& request, stoq::Children& children) const {
    const bool iso = is_to_be(asked, "iso", true) || is_to_be(asked, "iso9660", true);
    if (iso && archive_plugin::is_iso(payload.view())) {
      archive_plugin::check_iso(payload.view(), request);
    }
    ArchiveReader reader;
    allow(reader, asked);
    for (const auto& password : passwords_) reader.add_password(password);
    // libarchive's WARC reader lets strtol() read past the end of what it is given. A copy that
    // ends in a zero stops it; offsets in it are the payload's. Mapped files end in a page's zeros.
    constexpr std::size_t most_copied = std::size_t{32} << 20;
    std::string ended;
    auto view = payload.view();
    if (is_to_be(asked, "warc", begins(payload, "WARC/")) && view.size() <= most_copied) {
      ended = stoq::as_chars(view);
      view = stoq::as_bytes(ended);
    }
    reader.open(view);
    const auto stop = [&request] { return request.stop_requested(); };
    archive_plugin::Rar5Encryption rar5(payload.view());
    while (!stop()) {
      const auto step = reader.next();
      if (step == ArchiveReader::Step::end) break;
      const auto& member = reader.member();
      if (step == ArchiveReader::Step::broken) {
        children.lost(describe(member), stoq::common::status_of(reader.message()),
                      reader.message());
      } else if (rar5.next_is_encrypted() || (member.encrypted && !reader.is_zip())) {
        auto info = describe(member);
        info.encrypted = true;
        children.lost(std::move(info), stoq::Status::encrypted,
                      "needs a password, and this format is not decrypted here");
      } else if (member.kind == ArchiveMember::Kind::file) {
        extract_member(payload, reader, stop, children);
      }
    }
    if (reader.count() == 0 && !stop()) check_empty(payload, reader, stop);
  }

  static stoq::ChildInfo describe(const ArchiveMember& member) {
    stoq::ChildInfo info;
    info.name = member.name;
    info.encrypted = member.encrypted;
    if (!member.warning.empty()) info.meta.add("warning", member.warning);
    return info;
  }

  static void extract_member(const stoq::Payload& payload, ArchiveReader& reader,
                             stoq::common::StopQuery stop, stoq::Children& children) {
    auto info = describe(reader.member());
    if (const auto whole = reader.stored()) {
      const auto at = reader.offset_of(*whole);
      if (!whole->empty()) info.offset = at;
      children.emit(payload.bytes.slice(at, whole->size()), std::move(info));
      return;
    }
    const auto expected = reader.member().size.value_or(0);
    const bool whole = children.produce(std::move(info), expected,
                                        [&](stoq::Buffer& out) { reader.fill(out, stop); });
    if (!whole) reader.skip(stop);
  }

  /// No member and no error: right for an archive that is empty, and what libarchive also says of
  /// a disk image that begins with zeros.
  static void check_empty(const stoq::Payload& payload, const ArchiveReader& reader,
                          stoq::common::StopQuery stop) {
    constexpr std::size_t step = std::size_t{1} << 20;
    if (!reader.is_tar()) return;
    for (std::size_t at = 0; at < payload.bytes.size() && !stop(); at += step) {
      const auto part = payload.view().subspan(at, std::min(step, payload.bytes.size() - at));
      const auto odd = std::find_if(part.begin(), part.end(),
                                    [](std::byte byte) { return byte != std::byte{0}; });
      if (odd == part.end()) continue;
      throw stoq::Unsupported("tar: no members, but data at offset " +
                              std::to_string(at + static_cast<std::size_t>(odd - part.begin())) +
                              ": begins with zeros as an empty tar does, and is something else");
    }
  }

  std::vector<std::string> formats_;
  std::vector<std::string> passwords_;
};

}  // namespace

STOQ_PLUGIN(Archive)
