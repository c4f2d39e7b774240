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
#include "rule_match.hpp"

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
  SelectiveMagic(const IndexedMagic& magic, std::size_t window)
      : magic_(&magic), window_(window), match_(magic.index) {}

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
  struct Payload {
    stoq::ByteView bytes;
    bool is_text;
    std::string_view text;  // of what is

    [[nodiscard]] std::string_view chars() const noexcept { return stoq::as_chars(bytes); }
    /// What libmagic says when no rule matches.
    [[nodiscard]] std::string_view default_type() const noexcept;
    /// Whether its text is what it is.
    [[nodiscard]] bool is_its_text() const noexcept {
      return text.data() == chars().data() && text.size() == bytes.size();
    }
  };

  /// What libmagic knows by code, not by rules: tar, JSON, CSV. Nothing when it is none of them.
  [[nodiscard]] std::optional<std::string_view> type_by_code(const Payload& payload);
  [[nodiscard]] Subject for_binary(const Payload& payload) const noexcept;
  [[nodiscard]] Subject for_text(const Payload& payload) const noexcept;
  /// Selects the rules that can match.
  void select(const Payload& payload);
  /// What the first of the rules that matches says; unsure where they must be asked together.
  [[nodiscard]] Verdict first_match(const Payload& payload, const Rules& rules,
                                    const Subject& subject);
  [[nodiscard]] Verdict confirm(const Payload& payload, std::uint32_t rule);
  [[nodiscard]] std::optional<std::string_view> ask_together(const Payload& payload);
  [[nodiscard]] std::optional<std::string_view> ask(const Payload& payload, const Rules& rules);
  /// Null where libmagic as a whole is needed.
  [[nodiscard]] Loaded* load(const Rules& rules);

  const IndexedMagic* magic_;
  std::size_t window_;
  RuleMatch match_;
  MagicIndex::Seen seen_;
  Rules binary_rules_, text_rules_;  // that can match the payload at hand
  std::map<Rules, std::unique_ptr<Loaded>> loaded_;
  std::string decoded_;
};
