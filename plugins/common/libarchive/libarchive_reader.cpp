#include "libarchive_reader.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <new>
#include <utility>

#include <archive.h>
#include <archive_entry.h>

namespace stoq::common {

namespace {

using Enable = int (*)(archive*);
struct Named {
  std::string_view name;
  Enable enable;
};

constexpr std::array formats = {
    Named{"tar", archive_read_support_format_tar},
    Named{"7z", archive_read_support_format_7zip},
    Named{"7zip", archive_read_support_format_7zip},
    Named{"rar", archive_read_support_format_rar},
    Named{"rar5", archive_read_support_format_rar5},
    Named{"cab", archive_read_support_format_cab},
    Named{"iso", archive_read_support_format_iso9660},
    Named{"iso9660", archive_read_support_format_iso9660},
    Named{"cpio", archive_read_support_format_cpio},
    Named{"ar", archive_read_support_format_ar},
    Named{"deb", archive_read_support_format_ar},
    Named{"lha", archive_read_support_format_lha},
    Named{"xar", archive_read_support_format_xar},
    Named{"warc", archive_read_support_format_warc},
    Named{"zip", archive_read_support_format_zip},
};

// Only what libarchive does by itself: no lrzip, grzip or lzop, which it would start programs for.
constexpr std::array filters = {
    Named{"gzip", archive_read_support_filter_gzip},
    Named{"bzip2", archive_read_support_filter_bzip2},
    Named{"xz", archive_read_support_filter_xz},
    Named{"lzma", archive_read_support_filter_lzma},
    Named{"lzip", archive_read_support_filter_lzip},
    Named{"zstd", archive_read_support_filter_zstd},
    Named{"lz4", archive_read_support_filter_lz4},
    Named{"compress", archive_read_support_filter_compress},
};

/// libarchive turns names into the thread's charset. This makes it UTF-8 for the time of a call,
/// on this thread only.
class LocaleGuard {
 public:
  explicit LocaleGuard(locale_t locale) noexcept : before_(uselocale(locale)) {
    // libarchive ends the process when a name cannot be converted while errno happens to be a stale
    // ENOMEM from somebody else.
    errno = 0;
  }
  LocaleGuard(const LocaleGuard&) = delete;
  LocaleGuard& operator=(const LocaleGuard&) = delete;
  ~LocaleGuard() { uselocale(before_); }

 private:
  locale_t before_;
};

bool mentions(std::string_view text, std::string_view word) noexcept {
  const auto same = [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  };
  return std::search(text.begin(), text.end(), word.begin(), word.end(), same) != text.end();
}

void append_utf8(std::string& text, std::uint32_t code) {
  if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) code = 0xfffd;
  const auto put = [&text](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

/// The name in whatever form libarchive has it; an undecodable one may be had as wide text only.
void copy_name(archive_entry* entry, std::string& name) {
  name.clear();
  const char* text = archive_entry_pathname(entry);
  if (text == nullptr) text = archive_entry_pathname_utf8(entry);
  if (text != nullptr) {
    name = text;
    return;
  }
  const wchar_t* wide = archive_entry_pathname_w(entry);
  for (; wide != nullptr && *wide != L'\0'; ++wide) {
    append_utf8(name, static_cast<std::uint32_t>(*wide));
  }
}

/// Symbol and name tables of ar are no files, and `ar t` does not show them either.
bool is_ar_table(std::string_view name) noexcept {
  return name == "/" || name == "//" || name == "/SYM64/" || name.starts_with("__.SYMDEF");
}

ArchiveMember::Kind kind_of(archive_entry* entry, bool ar, std::string_view name) {
  const auto type = archive_entry_filetype(entry);
  if (type == AE_IFDIR) return ArchiveMember::Kind::directory;
  if (type != AE_IFREG && type != 0) return ArchiveMember::Kind::special;
  const bool no_data = archive_entry_size_is_set(entry) == 0 || archive_entry_size(entry) <= 0;
  if (no_data && archive_entry_hardlink(entry) != nullptr) return ArchiveMember::Kind::special;
  if (ar && is_ar_table(name)) return ArchiveMember::Kind::special;
  return ArchiveMember::Kind::file;
}

}  // namespace

Status status_of(std::string_view message) noexcept {
  if (mentions(message, "encrypt") || mentions(message, "passphrase") ||
      mentions(message, "password") || mentions(message, "crypto")) {
    return Status::encrypted;
  }
  if (mentions(message, "unsupported") || mentions(message, "not supported") ||
      mentions(message, "unknown codec") || mentions(message, "unexpected codec")) {
    return Status::unsupported;
  }
  return Status::corrupt;
}

void raise(const std::string& message) {
  switch (status_of(message)) {
    case Status::encrypted:
      throw Encrypted(message);
    case Status::unsupported:
      throw Unsupported(message);
    default:
      throw MalformedInput(message);
  }
}

void ArchiveReader::Free::operator()(archive* reader) const noexcept { archive_read_free(reader); }

void ArchiveReader::FreeLocale::operator()(locale_t locale) const noexcept { freelocale(locale); }

ArchiveReader::ArchiveReader()
    : reader_(archive_read_new()), utf8_(newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
  if (reader_ == nullptr) throw std::bad_alloc();
}

bool ArchiveReader::allow_format(std::string_view name) {
  for (const auto& format : formats) {
    if (format.name == name) return enable(format.enable);
  }
  return false;
}

bool ArchiveReader::allow_filter(std::string_view name) {
  for (const auto& filter : filters) {
    if (filter.name == name) return enable(filter.enable);
  }
  return false;
}

bool ArchiveReader::enable(Enable function) {
  // libarchive 3.6 crashes when rar5 is enabled twice.
  if (std::find(enabled_.begin(), enabled_.end(), function) != enabled_.end()) return true;
  enabled_.push_back(function);
  // ARCHIVE_WARN would mean that it needs a program; those are not in the tables.
  return function(reader_.get()) == ARCHIVE_OK;
}

void ArchiveReader::add_password(const std::string& password) {
  // An empty one is refused by libarchive, and would open nothing.
  if (!password.empty()) archive_read_add_passphrase(reader_.get(), password.c_str());
}

void ArchiveReader::open(ByteView bytes) {
  payload_ = bytes;
  const LocaleGuard guard(utf8_.get());
  if (archive_read_open_memory(reader_.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    // Not fail_archive(), here and below: libarchive has no format yet, and asking it crashes.
    throw MalformedInput(last_message());
  }
}

void ArchiveReader::open(const std::string& path) {
  constexpr std::size_t block = std::size_t{1} << 18;
  const LocaleGuard guard(utf8_.get());
  if (archive_read_open_filename(reader_.get(), path.c_str(), block) != ARCHIVE_OK) {
    constexpr int no_errno = -1;  // libarchive: anything but the system; EILSEQ: unknown format
    const int number = archive_errno(reader_.get());
    if (number == no_errno || number == EILSEQ) throw MalformedInput(last_message());
    throw IoError(last_message());
  }
}

ArchiveReader::Step ArchiveReader::next() {
  constexpr std::uint64_t most_failures = 64;
  if (fatal_) raise(where() + message_);
  first_.reset();
  damage_.clear();
  ahead_ = false;
  const LocaleGuard guard(utf8_.get());
  if (!header_) {
    header_ = read_header();
    if (header_->skipped != 0) {
      ++count_;
      member_ = {};
      return Step::broken;
    }
  }
  const auto [result, entry, skipped] = *std::exchange(header_, std::nullopt);
  if (result == ARCHIVE_EOF) return Step::end;
  if (result < ARCHIVE_FAILED || entry == nullptr) fail_archive();
  ++count_;
  describe(entry);
  state_ = Read::block;
  if (result >= ARCHIVE_WARN) {
    failures_ = 0;
    if (result == ARCHIVE_WARN) member_.warning = last_message();
    return Step::member;
  }
  message_ = last_message();
  if (++failures_ > most_failures) fail_archive();
  return Step::broken;
}

/// libarchive asks to be called again behind what is no header, as often as there are such blocks:
/// a member behind them may be what somebody wants to hide.
ArchiveReader::Header ArchiveReader::read_header() {
  Header header;
  std::int64_t position = -1;
  std::int64_t first = -1;
  header.result = archive_read_next_header(reader_.get(), &header.entry);
  while (header.result == ARCHIVE_RETRY) {
    if (header.skipped++ == 0) message_ = last_message();
    const auto at = archive_read_header_position(reader_.get());
    if (first < 0) first = at;
    if (at == position) {  // it would go on for ever
      header.result = ARCHIVE_FATAL;
      break;
    }
    position = at;
    header.result = archive_read_next_header(reader_.get(), &header.entry);
  }
  if (header.skipped != 0) {
    message_ += ": " + std::to_string(header.skipped) + " headers that are none, from offset " +
                std::to_string(first);
  }
  return header;
}

void ArchiveReader::describe(archive_entry* entry) {
  copy_name(entry, member_.name);
  member_.kind = kind_of(entry, family() == ARCHIVE_FORMAT_AR, member_.name);
  member_.size.reset();
  if (archive_entry_size_is_set(entry) != 0 && archive_entry_size(entry) >= 0) {
    member_.size = static_cast<std::uint64_t>(archive_entry_size(entry));
  }
  member_.encrypted = archive_entry_is_encrypted(entry) != 0;
  member_.warning.clear();
  sparse_ = archive_entry_sparse_count(entry) > 0;
}

std::string ArchiveReader::format() const {
  const char* name = archive_format_name(reader_.get());
  return name != nullptr ? name : "archive";
}

int ArchiveReader::family() const noexcept {
  return archive_format(reader_.get()) & ARCHIVE_FORMAT_BASE_MASK;
}

bool ArchiveReader::is_tar() const noexcept { return family() == ARCHIVE_FORMAT_TAR; }
bool ArchiveReader::is_zip() const noexcept { return family() == ARCHIVE_FORMAT_ZIP; }

ArchiveReader::Read ArchiveReader::read_block() {
  const void* data = nullptr;
  std::size_t size = 0;
  la_int64_t offset = 0;
  const LocaleGuard guard(utf8_.get());
  int result = ARCHIVE_RETRY;
  for (int tries = 0; result == ARCHIVE_RETRY && tries < 8; ++tries) {
    result = archive_read_data_block(reader_.get(), &data, &size, &offset);
  }
  block_.offset = offset > 0 ? static_cast<std::uint64_t>(offset) : 0;
  block_.bytes = {};
  if (result == ARCHIVE_EOF) return state_ = Read::end;
  if (result < ARCHIVE_WARN) {
    message_ = last_message();
    fatal_ = result == ARCHIVE_FATAL;
    return state_ = Read::failed;
  }
  if (result == ARCHIVE_WARN && damage_.empty()) damage_ = last_message();
  if (data != nullptr) block_.bytes = {static_cast<const std::byte*>(data), size};
  return state_ = Read::block;
}

std::optional<ByteView> ArchiveReader::stored() {
  if (payload_.empty() || !member_.size) return std::nullopt;
  ahead_ = true;
  if (read_block() != Read::block) {
    if (state_ == Read::end && *member_.size == 0) return ByteView{};
    return std::nullopt;
  }
  ahead_ = false;
  first_ = block_;
  const std::less_equal<const std::byte*> not_after;
  const bool inside = !first_->bytes.empty() && not_after(payload_.data(), first_->bytes.data()) &&
                      fits(payload_, offset_of(first_->bytes), first_->bytes.size());
  if (!inside || first_->offset != 0 || first_->bytes.size() != *member_.size) {
    return std::nullopt;
  }
  // Checksums are looked at when the end is asked for; bytes of the payload stay valid meanwhile.
  ahead_ = true;
  if (read_block() != Read::end || !damage_.empty()) return std::nullopt;
  return first_->bytes;
}

std::size_t ArchiveReader::offset_of(ByteView part) const noexcept {
  return part.empty() ? 0 : static_cast<std::size_t>(part.data() - payload_.data());
}

void ArchiveReader::fill(Buffer& out, StopQuery stop) {
  const auto use = [&](const Block& block) {
    if (stop()) throw MalformedInput("stopped before the member's end");
    if (block.offset < out.size()) throw MalformedInput("blocks of the member overlap");
    pad(out, block.offset, stop);
    out.append(block.bytes);
  };
  if (first_) use(*first_);
  if (!ahead_) read_block();
  for (; state_ == Read::block; read_block()) use(block_);
  if (state_ == Read::failed) raise(message_);
  const auto claimed = member_.size.value_or(0);
  if (sparse_) pad(out, std::max(block_.offset, claimed), stop);
  if (!damage_.empty()) raise(damage_);
  // A tar's size may be that of another dialect; libarchive itself sees when data is missing.
  if (out.size() < claimed && !is_tar()) {
    throw MalformedInput("ends after " + std::to_string(out.size()) + " of " +
                         std::to_string(claimed) + " bytes");
  }
}

void ArchiveReader::pad(Buffer& out, std::uint64_t until, StopQuery stop) const {
  constexpr std::uint64_t step = std::uint64_t{1} << 20;
  if (until > out.size() && until - out.size() > out.remaining()) {
    throw LimitReached{"child_bytes"};  // no need to write what will be thrown away
  }
  while (out.size() < until) {
    if (stop()) throw MalformedInput("stopped before the member's end");
    const auto count = static_cast<std::size_t>(std::min(step, until - out.size()));
    const auto room = out.prepare(count);
    std::fill(room.begin(), room.end(), std::byte{0});
    out.commit(count);
  }
}

void ArchiveReader::skip(StopQuery stop) {
  while (state_ == Read::block && !stop()) read_block();
}

std::string ArchiveReader::last_message() const {
  const char* text = archive_error_string(reader_.get());
  return text != nullptr ? text : "ends too soon, or its header makes no sense";
}

std::string ArchiveReader::where() const {
  if (count_ == 0) return format() + ": ";
  return format() + ", member " + std::to_string(count_) + " ('" + member_.name + "'): ";
}

void ArchiveReader::fail_archive() {
  fatal_ = true;
  message_ = last_message();
  if (archive_read_has_encrypted_entries(reader_.get()) > 0 && count_ == 0) {
    throw Encrypted(where() + "headers are encrypted: " + message_);
  }
  raise((count_ == 0 ? "" : "after ") + where() + message_);
}

}  // namespace stoq::common
