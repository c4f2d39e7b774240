/// One archive being read with libarchive, for the archive extractor and the archive source.
///
/// Formats and filters are enabled by name, one by one; none that starts a program exists here.
/// Member names come as raw bytes or as UTF-8, whatever the process's locale. An object belongs to
/// one thread; a payload opened from memory must outlive it, and is never copied.
#pragma once

#include <clocale>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "stoq/plugin.hpp"

struct archive;
struct archive_entry;

namespace stoq::common {

/// Whether work should end; asked once per member and per block.
using StopQuery = FunctionRef<bool()>;

/// What an archive says of one of its members.
struct ArchiveMember {
  enum class Kind : std::uint8_t { file, directory, special };

  std::string name;                   ///< as the archive claims it
  Kind kind = Kind::file;             ///< special: links, devices, tables of contents
  std::optional<std::uint64_t> size;  ///< as claimed, where the format says so
  bool encrypted = false;
  std::string warning;  ///< what libarchive found odd, empty for nothing
};

/// How a libarchive message ends a member or an archive.
[[nodiscard]] Status status_of(std::string_view message) noexcept;
/// Throws the exception for status_of(message).
[[noreturn]] void raise(const std::string& message);

class ArchiveReader {
 public:
  ArchiveReader();

  /// Enables a format or filter; false when there is none of that name.
  [[nodiscard]] bool allow_format(std::string_view name);
  [[nodiscard]] bool allow_filter(std::string_view name);
  /// A password to try on encrypted members (zip only: libarchive knows no other).
  void add_password(const std::string& password);

  /// Begins to read `bytes`, which are used in place.
  void open(ByteView bytes);
  /// Begins to read a file as a stream. Throws IoError.
  void open(const std::string& path);

  enum class Step : std::uint8_t {
    member,  ///< member() and fill() speak of the next one
    broken,  ///< member() names one that cannot be read; message() says why
    end
  };
  /// Goes to the next member. What the archive cannot survive throws, naming member and reason.
  [[nodiscard]] Step next();

  [[nodiscard]] const ArchiveMember& member() const noexcept { return member_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }
  /// How many members there have been, of any kind.
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  /// libarchive's name of the format, such as "GNU tar format"; "archive" before it is known.
  [[nodiscard]] std::string format() const;
  /// True when libarchive reads the archive as some dialect of tar.
  [[nodiscard]] bool is_tar() const noexcept;
  [[nodiscard]] bool is_zip() const noexcept;

  /// The whole member as a part of the bytes given to open(), where it is stored in one piece:
  /// nothing is copied. Otherwise nullopt, and fill() brings it out.
  [[nodiscard]] std::optional<ByteView> stored();
  /// Writes the rest of the member, holes filled with zeros. Throws MalformedInput, Encrypted or
  /// Unsupported after what could be read.
  void fill(Buffer& out, StopQuery stop);
  /// Reads past what is left of the member, block by block, so that `stop` is asked in between.
  void skip(StopQuery stop);
  /// Where `part`, got from stored(), begins in the bytes given to open().
  [[nodiscard]] std::size_t offset_of(ByteView part) const noexcept;

 private:
  struct Free {
    void operator()(archive* reader) const noexcept;
  };
  struct FreeLocale {
    void operator()(locale_t locale) const noexcept;
  };
  struct Block {
    ByteView bytes;
    std::uint64_t offset = 0;  ///< where in the member they belong
  };
  enum class Read : std::uint8_t { block, end, failed };
  using Enable = int (*)(archive*);

  /// What libarchive said of the next header.
  struct Header {
    int result = 0;
    archive_entry* entry = nullptr;
    std::uint64_t skipped = 0;  ///< how often it found none before
  };

  bool enable(Enable function);
  Header read_header();
  Read read_block();
  [[nodiscard]] int family() const noexcept;
  void describe(archive_entry* entry);
  void pad(Buffer& out, std::uint64_t until, StopQuery stop) const;
  [[nodiscard]] std::string last_message() const;
  [[nodiscard]] std::string where() const;
  [[noreturn]] void fail_archive();

  std::unique_ptr<archive, Free> reader_;
  std::unique_ptr<std::remove_pointer_t<locale_t>, FreeLocale> utf8_;
  std::vector<Enable> enabled_;
  ByteView payload_;
  ArchiveMember member_;
  std::string message_;
  std::optional<Header> header_;  ///< read, and not used yet
  std::uint64_t count_ = 0;
  std::uint64_t failures_ = 0;  ///< broken headers in a row
  std::optional<Block> first_;  ///< read by stored(), to be used by fill()
  Block block_;                 ///< the last read
  Read state_ = Read::end;      ///< what became of the last read
  std::string damage_;          ///< what libarchive found wrong with data it gave all the same
  bool ahead_ = false;          ///< the last read is not yet used
  bool sparse_ = false;
  bool fatal_ = false;  ///< libarchive will not go on
};

}  // namespace stoq::common
