/// The header of a 7z archive: which streams are packed how, and which files lie in them. As
/// 7zFormat.txt of the 7-Zip distribution says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

namespace archive_plugin::sevenzip {

/// One method of a folder.
struct Coder {
  std::uint64_t id = 0;
  std::vector<std::byte> properties = {};
  std::size_t inputs = 1;
  std::size_t first_input = 0;  ///< inputs of all coders of a folder are numbered in a row
  std::uint64_t size = 0;       ///< how many bytes it gives out, as claimed
};

/// One member's part of a folder.
struct Part {
  std::uint64_t size = 0;
  std::optional<std::uint32_t> crc = {};
};

/// Coders in a chain (or tree), what they read, and the members that come out of the last.
struct Folder {
  std::vector<Coder> coders = {};
  std::vector<std::optional<std::size_t>> bound = {};  ///< by input: the coder that feeds it
  std::vector<std::size_t> order = {};      ///< inputs no coder feeds, as they are packed
  std::vector<stoq::ByteView> packed = {};  ///< by input: what those read
  std::size_t last = 0;                     ///< the coder whose output is the content
  std::optional<std::uint32_t> crc = {};
  std::vector<Part> parts = {};
  std::string fault = {};  ///< why its packed streams are not there, if so

  [[nodiscard]] std::uint64_t size() const noexcept { return coders[last].size; }
};

struct File {
  enum class Kind : std::uint8_t { file, directory, special };
  std::string name = {};
  Kind kind = Kind::file;
  bool has_data = true;
};

struct Header {
  std::vector<Folder> folders = {};
  std::vector<File> files = {};
  std::string fault = {};  ///< what is wrong, though all of it could be read
};

/// What stands in the first 32 bytes.
struct Start {
  std::size_t at = 0;
  std::size_t size = 0;
  std::uint32_t crc = 0;
  std::string fault = {};  ///< what it says of the size that is not so
};

[[nodiscard]] bool is_7z(stoq::ByteView archive) noexcept;
/// Where the header is. Throws MalformedInput.
[[nodiscard]] Start read_start(stoq::ByteView archive);

/// Whether `header` is itself packed; folders[0] of read_encoded() then holds the real one.
[[nodiscard]] bool is_encoded(stoq::ByteView header) noexcept;
[[nodiscard]] std::vector<Folder> read_encoded(stoq::ByteView header, stoq::ByteView archive);
[[nodiscard]] Header read_header(stoq::ByteView header, stoq::ByteView archive);

}  // namespace archive_plugin::sevenzip
