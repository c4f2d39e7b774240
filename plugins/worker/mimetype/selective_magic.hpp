/// libmagic asked with only those of its rules that can match a payload: what it says is what it
/// says with all of them, sooner. One object serves one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/bytes.hpp>

#include "encoding.hpp"
#include "libmagic.hpp"
#include "magic_file.hpp"
#include "magic_index.hpp"

/// A database and its index, for all threads.
struct IndexedMagic {
  explicit IndexedMagic(std::unique_ptr<const MagicFile> read)
      : file(std::move(read)), index(*file) {}

  std::unique_ptr<const MagicFile> file;
  MagicIndex index;
};

class SelectiveMagic {
 public:
  /// `window`: how much of a payload libmagic looks at.
  SelectiveMagic(const IndexedMagic& magic, std::size_t window) : magic_(&magic), window_(window) {}

  /// The MIME type, valid until the next call; nothing where only libmagic as a whole can tell.
  /// `bytes`: no more than the window.
  [[nodiscard]] std::optional<std::string_view> type(stoq::ByteView bytes);

 private:
  /// libmagic with a set of rules. They are kept, since it compiles their expressions only once.
  struct Loaded {
    std::vector<std::byte> database;
    Libmagic libmagic;
  };
  using Rules = std::vector<std::uint32_t>;

  [[nodiscard]] std::optional<std::string_view> ask(stoq::ByteView bytes, bool is_text,
                                                    const Rules& rules);
  /// Null where libmagic as a whole is needed.
  [[nodiscard]] Loaded* load(const Rules& rules);

  const IndexedMagic* magic_;
  std::size_t window_;
  MagicIndex::Scratch scratch_;
  Rules rules_;
  std::map<Rules, std::unique_ptr<Loaded>> loaded_;
  std::string decoded_;
};
