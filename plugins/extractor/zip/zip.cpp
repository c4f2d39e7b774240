/// Takes zip archives apart. Stored members are slices of the payload, deflated ones go through
/// libdeflate, the rest through libzip or libarchive; an archive without a usable directory is read
/// front to back by libarchive. Options: see zip.stoq.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

#include "directory.hpp"
#include "inflate.hpp"
#include "libarchive_reader.hpp"
#include "library.hpp"

namespace {

constexpr std::string_view local_magic{"PK\3\4", 4};
constexpr std::string_view end_magic{"PK\5\6", 4};

class Zip : public stoq::Extractor {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    passwords_ =
        options.get_list("password_list", "passwords to try on encrypted members, in this order");
    if (passwords_.empty()) passwords_ = {"infected", "password", "malware", "virus"};
  }

  void extract(const stoq::Payload& payload, const stoq::Request& request,
               stoq::Children& children) const override {
    const auto text = stoq::as_chars(payload.view());
    const auto first = text.find(local_magic);
    if (first == text.npos && text.find(end_magic) == text.npos) return;

    const auto directory =
        std::make_shared<const std::optional<unzip::Directory>>(unzip::read_directory(payload.view()));
    const bool usable = *directory && !((*directory)->entries.empty() && first != text.npos);
    if (!usable) {
      if (first == text.npos) {
        throw stoq::MalformedInput("zip: end record without a central directory or members");
      }
      extract_in_order(payload.view().subspan(first), request, children);
      return;
    }
    extract_by_directory(payload, directory, children);
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
    if (!(*directory)->problem.empty()) throw stoq::MalformedInput("zip: " + (*directory)->problem);
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
    const auto data = unzip::data_of(archive.view(), entry);
    if (!entry.encrypted() && entry.method == unzip::method_stored && data.size() == entry.size &&
        stoq::common::crc32(data) == entry.crc) {
      member.emit(archive.slice(entry.data, data.size()), std::move(info));
      return;
    }
    member.produce(std::move(info), entry.size,
                   [&](stoq::Buffer& out) { fill(archive.view(), entry, out); });
  }

  void fill(stoq::ByteView archive, const unzip::Entry& entry, stoq::Buffer& out) const {
    if ((entry.flags & (unzip::flag_strong | unzip::flag_hidden)) != 0 && entry.encrypted()) {
      throw stoq::Encrypted("zip: PKWARE strong encryption");
    }
    const auto data = unzip::data_of(archive, entry);
    if (!entry.encrypted() && entry.method == unzip::method_stored) {
      out.append(data.first(std::min(data.size(), out.remaining())));
      if (data.size() > out.size()) throw stoq::LimitReached{"child_bytes"};
    } else if (!entry.encrypted() && entry.method == unzip::method_deflated) {
      inflater_.inflate(data, stoq::common::Framing::raw, std::max<std::uint64_t>(entry.size, 1),
                        out, stoq::Request{});
    } else {
      unzip::read_by_library(archive, entry, passwords_, out);
      return;  // checked there
    }
    check(entry, data, out.view());
  }

  static void check(const unzip::Entry& entry, stoq::ByteView data, stoq::ByteView content) {
    if (data.size() < entry.compressed) {
      throw stoq::MalformedInput(
          "zip: archive ends inside the member: " + std::to_string(data.size()) + " of " +
          std::to_string(entry.compressed) + " bytes are there");
    }
    if (stoq::common::crc32(content) != entry.crc) {
      throw stoq::MalformedInput("zip: CRC-32 of the content is not the one in the directory");
    }
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
    throw stoq::MalformedInput("zip: no usable central directory; members were read in order");
  }

  std::vector<std::string> passwords_;
  stoq::common::Inflater inflater_;
};

}  // namespace

STOQ_PLUGIN(Zip)
