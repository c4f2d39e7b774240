/// Takes zip archives apart. Stored members are slices of the payload, deflated ones go through
/// libdeflate, the rest through libzip or libarchive; an archive without a usable directory is read
/// front to back by libarchive. Options: see zip.stoq.
#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

#include "directory.hpp"
#include "inflate.hpp"
#include "layout.hpp"
#include "libarchive_reader.hpp"
#include "library.hpp"
#include "pkzip.hpp"

namespace {

using stoq::common::zip::end_magic;
using stoq::common::zip::local_magic;

class Zip : public stoq::Extractor {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    passwords_ =
        options.get_list("password_list", "passwords to try on encrypted members, in this order",
                         "infected, password, malware, virus");
  }

  void extract(const stoq::Payload& payload, const stoq::Request& request,
               stoq::Children& children) const override {
    const auto text = stoq::as_chars(payload.view());
    const auto first = text.find(local_magic);
    if (first == text.npos && text.find(end_magic) == text.npos) return;

    const auto directory = std::make_shared<const std::optional<unzip::Directory>>(
        unzip::read_directory(payload.view()));
    const bool usable = *directory && !((*directory)->entries.empty() && first != text.npos);
    if (!usable) {
      if (first == text.npos) {
        throw stoq::MalformedInput("zip: end record without a central directory or members");
      }
      extract_in_order(payload.view().subspan(first), request, children);
      throw stoq::MalformedInput("zip: no usable central directory; members were read in order");
    }
    extract_by_directory(payload, directory, children);
    if ((*directory)->problem.empty()) return;
    extract_rest(payload.view(), **directory, request, children);
    throw stoq::MalformedInput("zip: " + (*directory)->problem);
  }

 private:
  using Shared = std::shared_ptr<const std::optional<unzip::Directory>>;

  void extract_by_directory(const stoq::Payload& payload, const Shared& directory,
                            stoq::Children& children) const {
    const auto& entries = (*directory)->entries;
    auto files = std::make_shared<std::vector<std::size_t>>();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!entries[i].is_directory()) files->push_back(i);
    }
    // Whoever runs this may outlive the call: bytes, directory and list are owned by the copy.
    children.each(files->size(), [this, bytes = payload.bytes, directory, files](
                                     std::size_t index, stoq::Children& member) {
      bring_out(bytes, (*directory)->entries[(*files)[index]], member);
    });
  }

  void bring_out(const stoq::Bytes& archive, const unzip::Entry& entry,
                 stoq::Children& member) const {
    stoq::ChildInfo info{.name = std::string(entry.name), .encrypted = entry.encrypted()};
    if (entry.data == unzip::nothing) {
      member.lost(std::move(info), stoq::Status::corrupt, "zip: no local header where promised");
      return;
    }
    info.offset = entry.data;
    if (entry.overlaps != unzip::nothing) {
      member.lost(std::move(info), stoq::Status::corrupt,
                  "zip: shares its bytes with member " + std::to_string(entry.overlaps));
      return;
    }
    if (const auto size = stored_size(archive.view(), entry)) {
      member.emit(archive.slice(entry.data, *size), std::move(info));
      return;
    }
    member.produce(std::move(info), entry.size,
                   [&](stoq::Buffer& out) { fill(archive.view(), entry, out); });
  }

  /// How many bytes at the member's data are its content as it stands; nothing when they are not.
  /// Headers may contradict one another, by accident or to hide something: the CRC decides.
  static std::optional<std::size_t> stored_size(stoq::ByteView archive, const unzip::Entry& entry) {
    const bool stored =
        entry.method == unzip::method_stored || entry.local_method == unzip::method_stored;
    if (!stored || entry.encrypted()) return std::nullopt;
    const auto rest = archive.subspan(entry.data);
    for (const auto size : {entry.compressed, entry.size}) {
      if (size == 0 && entry.compressed != 0) continue;  // any archive has room for no bytes
      if (size <= rest.size() && stoq::common::crc32(rest.first(size)) == entry.crc) return size;
    }
    return std::nullopt;
  }

  void fill(stoq::ByteView archive, unzip::Entry entry, stoq::Buffer& out) const {
    auto data = unzip::data_of(archive, entry);
    unzip::Decrypted plain;
    const bool encrypted = entry.encrypted();
    if (encrypted) {
      if ((entry.flags & (unzip::flag_strong | unzip::flag_hidden)) != 0) {
        throw stoq::Encrypted("zip: PKWARE strong encryption");
      }
      plain = unzip::decrypt(data, entry, passwords_, out.remaining());
      data = plain.bytes;
      entry.flags &= static_cast<std::uint16_t>(~unzip::flag_encrypted);
    } else if (entry.method == unzip::method_stored && entry.local_method != entry.method) {
      entry.method = entry.local_method;  // stored_size() has found that it is not stored
    }
    // Deflate knows its own end: a length that is too short need not cost the member. But it ends
    // before the next member, or each of many could give out all that follow.
    if (!encrypted && entry.method == unzip::method_deflated) {
      data = archive.subspan(entry.data, entry.room_end - entry.data);
    }
    // AE-2 members carry no CRC (they are authenticated instead): the libraries miss it at the end.
    const bool no_crc = encrypted && entry.aes_version == 2;
    try {
      decompress(data, entry, out);
    } catch (const stoq::MalformedInput&) {
      if (!no_crc || out.size() != entry.size) throw;
    }
    if (!plain.problem.empty()) throw stoq::MalformedInput("zip: decrypting: " + plain.problem);
    if (no_crc) return;
    if (!encrypted) check_size(unzip::data_of(archive, entry).size(), entry.compressed);
    check_crc(entry, out.view());
  }

  void decompress(stoq::ByteView data, const unzip::Entry& entry, stoq::Buffer& out) const {
    switch (entry.method) {
      case unzip::method_stored:
        out.append(data.first(std::min(data.size(), out.remaining())));
        if (data.size() > out.size()) throw stoq::LimitReached{"child_bytes"};
        break;
      case unzip::method_deflated:
        inflater_.inflate(data, stoq::common::Framing::raw, std::max<std::uint64_t>(entry.size, 1),
                          out, stoq::Request{});
        break;
      case unzip::method_deflated64:
        stoq::common::inflate64(data, out);
        break;
      case unzip::method_imploded:
        stoq::common::explode(data, entry.flags, entry.size, out);
        break;
      default:
        unzip::read_by_library(data, entry, out);
    }
  }

  static void check_size(std::uint64_t size, std::uint64_t claimed) {
    if (size >= claimed) return;
    throw stoq::MalformedInput("zip: archive ends inside the member: " + std::to_string(size) +
                               " of " + std::to_string(claimed) + " bytes are there");
  }

  static void check_crc(const unzip::Entry& entry, stoq::ByteView content) {
    if (stoq::common::crc32(content) != entry.crc) {
      throw stoq::MalformedInput("zip: CRC-32 of the content is not the one in the directory");
    }
  }

  /// What stands between the members that a broken directory still tells of and itself.
  void extract_rest(stoq::ByteView archive, const unzip::Directory& directory,
                    const stoq::Request& request, stoq::Children& children) const {
    if (directory.data_end >= directory.begin) return;
    const auto gap = archive.subspan(directory.data_end, directory.begin - directory.data_end);
    const auto first = stoq::as_chars(gap).find(local_magic);
    if (first != std::string_view::npos) extract_in_order(gap.subspan(first), request, children);
  }

  /// Front to back, by local headers alone.
  void extract_in_order(stoq::ByteView archive, const stoq::Request& request,
                        stoq::Children& children) const {
    using Step = stoq::common::ArchiveReader::Step;
    using Kind = stoq::common::ArchiveMember::Kind;
    // An end record that leads nowhere would only lead libarchive astray.
    const auto end = stoq::as_chars(archive).rfind(end_magic);
    if (end != std::string_view::npos) archive = archive.first(end);

    const auto stop = [&request] { return request.stop_requested(); };
    stoq::common::ArchiveReader reader;
    if (!reader.allow_format("zip")) throw stoq::Unsupported("libarchive was built without zip");
    for (const auto& password : passwords_) reader.add_password(password);
    reader.open(archive);
    for (auto step = reader.next(); step != Step::end && !stop(); step = reader.next()) {
      const auto& member = reader.member();
      if (member.kind == Kind::directory) continue;
      stoq::ChildInfo info{.name = member.name, .encrypted = member.encrypted};
      children.declare(1);
      if (step == Step::broken) {
        children.lost(std::move(info), stoq::common::status_of(reader.message()),
                      "zip: " + reader.message());
        continue;
      }
      children.produce(std::move(info), member.size.value_or(0),
                       [&](stoq::Buffer& out) { reader.fill(out, stop); });
      reader.skip(stop);
    }
    if (reader.count() == 0) throw stoq::MalformedInput("zip: no member can be read");
  }

  std::vector<std::string> passwords_;
  stoq::common::Inflater inflater_;
};

}  // namespace

STOQ_PLUGIN(Zip)
