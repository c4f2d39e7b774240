/// The spool's entries: what is known of a payload, packed, with its parts of JSON rendered where
/// they were made. Ids, paths and parents are not in them: those are known only when the root is
/// whole.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <stoq/error.hpp>

#include "support/digest.hpp"

namespace stoq::engine {

/// Appends numbers and texts to a string.
class EntryWriter {
 public:
  explicit EntryWriter(std::string& out) : out_(out) { out_.clear(); }
  void number(std::uint64_t value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    out_.append(raw, sizeof value);
  }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }

 private:
  std::string& out_;
};

/// Reads them back in order. Entries are our own: no check beyond substr's.
class EntryReader {
 public:
  explicit EntryReader(std::string_view in) : in_(in) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    std::memcpy(&value, in_.data(), sizeof value);
    in_.remove_prefix(sizeof value);
    return value;
  }
  std::string_view text() {
    const auto size = number();
    const auto value = in_.substr(0, size);
    in_.remove_prefix(size);
    return value;
  }

 private:
  std::string_view in_;
};

// Each with texts of its own where it is put together, and with views into the spool where it is
// read.

/// One place of a payload.
template <class Text>
struct BasicOccurrence {
  Text name;  ///< raw bytes; what a container named is in its origin too, see `member_at`
  /// Number + 1 of the plugin that named it after its parent (Plugin::child_name()); 0: it did not.
  /// `name` is then what came out where it was scanned.
  std::uint64_t named_by = 0;
  Text origin;                  ///< JSON object, without its `member`
  std::uint64_t member_at = 0;  ///< where in `origin` its members `member`, `member_b64` belong
  std::uint64_t size = 0;
  support::Sha256 sha256{};
  Text digests;  ///< JSON members of file.hash, SHA-256 included; empty when there are no bytes
  Status status = Status::ok;
  Text errors;  ///< JSON objects, comma between
};
using OccurrenceEntry = BasicOccurrence<std::string>;
using OccurrenceView = BasicOccurrence<std::string_view>;

/// How the expansion of a content went.
template <class Text>
struct BasicExpansion {
  Text type;
  Text dispatch;  ///< JSON strings, comma between
  Text errors;
  Status status = Status::ok;
};
using ExpansionEntry = BasicExpansion<std::string>;
using ExpansionView = BasicExpansion<std::string_view>;

/// What the workers said of a content.
template <class Text>
struct BasicWorkers {
  Text file;     ///< JSON members of `file`, comma between
  Text workers;  ///< JSON members of `stoq.workers`
  Text errors;
  Text label;  ///< the type by which the summary counts it
  Status status = Status::ok;
  std::uint64_t nanoseconds = 0;
};
using WorkersEntry = BasicWorkers<std::string>;
using WorkersView = BasicWorkers<std::string_view>;

/// Children of a content, as counted by one pass or part of it; parts are chained.
struct CountsEntry {
  struct Dropped {
    std::string limit;
    std::uint64_t count = 0, bytes = 0;
  };
  std::uint64_t previous = UINT64_MAX;  ///< entry of the part before
  std::uint64_t declared = 0, emitted = 0;
  std::vector<Dropped> dropped;
  void drop(std::string_view limit, std::uint64_t count, std::uint64_t bytes);
  [[nodiscard]] std::uint64_t dropped_count() const noexcept;
};

void pack(std::string& out, const OccurrenceEntry& entry);
void pack(std::string& out, const ExpansionEntry& entry);
void pack(std::string& out, const WorkersEntry& entry);
void pack(std::string& out, const CountsEntry& entry);
[[nodiscard]] OccurrenceView unpack_occurrence(std::string_view in);
[[nodiscard]] ExpansionView unpack_expansion(std::string_view in);
[[nodiscard]] WorkersView unpack_workers(std::string_view in);
[[nodiscard]] CountsEntry unpack_counts(std::string_view in);

/// Appends {"plugin":…,"kind":…,"message":…} to a list of errors.
void append_error(std::string& errors, std::string_view plugin, std::string_view kind,
                  std::string_view message);
/// The worse of the two.
[[nodiscard]] constexpr Status worst(Status a, Status b) noexcept { return a < b ? b : a; }

}  // namespace stoq::engine
