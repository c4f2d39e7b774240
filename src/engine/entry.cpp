#include "engine/entry.hpp"

#include <algorithm>

#include "support/json.hpp"

namespace stoq::engine {
namespace {

/// The numbers of an entry, its digest and the lengths of its texts.
constexpr std::size_t room_for_numbers = 128;

}  // namespace

void CountsEntry::drop(std::string_view limit, std::uint64_t count, std::uint64_t bytes) {
  for (auto& known : dropped) {
    if (known.limit == limit) {
      known.count += count;
      known.bytes += bytes;
      return;
    }
  }
  dropped.push_back({std::string(limit), count, bytes});
}

std::uint64_t CountsEntry::dropped_count() const noexcept {
  std::uint64_t count = 0;
  for (const auto& item : dropped) count += item.count;
  return count;
}

void pack(std::string& out, const OccurrenceEntry& entry) {
  out.reserve(room_for_numbers + entry.name.size() + entry.origin.size() + entry.digests.size() +
              entry.errors.size());
  EntryWriter writer(out);
  writer.text(entry.name);
  writer.number(entry.named_by);
  writer.text(entry.origin);
  writer.number(entry.member_at);
  writer.number(entry.size);
  writer.text(as_chars(entry.sha256));
  writer.text(entry.digests);
  writer.number(static_cast<std::uint64_t>(entry.status));
  writer.text(entry.errors);
}

OccurrenceView unpack_occurrence(std::string_view in) {
  EntryReader reader(in);
  OccurrenceView entry;
  entry.name = reader.text();
  entry.named_by = reader.number();
  entry.origin = reader.text();
  entry.member_at = reader.number();
  entry.size = reader.number();
  const auto digest = as_bytes(reader.text());
  std::copy(digest.begin(), digest.end(), entry.sha256.begin());
  entry.digests = reader.text();
  entry.status = static_cast<Status>(reader.number());
  entry.errors = reader.text();
  return entry;
}

void pack(std::string& out, const ExpansionEntry& entry) {
  out.reserve(room_for_numbers + entry.type.size() + entry.dispatch.size() + entry.errors.size());
  EntryWriter writer(out);
  writer.text(entry.type);
  writer.text(entry.dispatch);
  writer.text(entry.errors);
  writer.number(static_cast<std::uint64_t>(entry.status));
}

ExpansionView unpack_expansion(std::string_view in) {
  EntryReader reader(in);
  ExpansionView entry;
  entry.type = reader.text();
  entry.dispatch = reader.text();
  entry.errors = reader.text();
  entry.status = static_cast<Status>(reader.number());
  return entry;
}

void pack(std::string& out, const WorkersEntry& entry) {
  out.reserve(room_for_numbers + entry.file.size() + entry.workers.size() + entry.errors.size() +
              entry.label.size());
  EntryWriter writer(out);
  writer.text(entry.file);
  writer.text(entry.workers);
  writer.text(entry.errors);
  writer.text(entry.label);
  writer.number(static_cast<std::uint64_t>(entry.status));
  writer.number(entry.nanoseconds);
}

WorkersView unpack_workers(std::string_view in) {
  EntryReader reader(in);
  WorkersView entry;
  entry.file = reader.text();
  entry.workers = reader.text();
  entry.errors = reader.text();
  entry.label = reader.text();
  entry.status = static_cast<Status>(reader.number());
  entry.nanoseconds = reader.number();
  return entry;
}

void pack(std::string& out, const CountsEntry& entry) {
  EntryWriter writer(out);
  writer.number(entry.previous);
  writer.number(entry.declared);
  writer.number(entry.emitted);
  writer.number(entry.dropped.size());
  for (const auto& item : entry.dropped) {
    writer.text(item.limit);
    writer.number(item.count);
    writer.number(item.bytes);
  }
}

CountsEntry unpack_counts(std::string_view in) {
  EntryReader reader(in);
  CountsEntry entry;
  entry.previous = reader.number();
  entry.declared = reader.number();
  entry.emitted = reader.number();
  const auto items = reader.number();
  for (std::uint64_t i = 0; i < items; ++i) {
    const std::string limit(reader.text());
    const auto count = reader.number();
    entry.dropped.push_back({limit, count, reader.number()});
  }
  return entry;
}

void append_error(std::string& errors, std::string_view plugin, std::string_view kind,
                  std::string_view message) {
  if (!errors.empty()) errors += ',';
  support::JsonObject error(errors);
  if (!plugin.empty()) error.text("plugin", plugin);
  error.text("kind", kind);
  error.text("message", message);
}

}  // namespace stoq::engine
