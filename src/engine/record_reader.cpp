#include "engine/record_reader.hpp"

#include <algorithm>
#include <utility>

namespace stoq::engine {
namespace {

void add_errors(std::string& all, std::string_view more) {
  if (more.empty()) return;
  if (!all.empty()) all += ',';
  all += more;
}

Status status_of_drop(std::string_view limit) {
  return limit.ends_with("timeout") ? Status::timeout : Status::partial;
}

// What cannot be read to its end because a limit cut it is no broken input.
Status judged(const Visit& visit, Status status) {
  return visit.cut && status == Status::corrupt ? Status::partial : status;
}

}  // namespace

Record RecordReader::read(const Visit& visit) {
  Record record;
  const auto& place = root_.results->occurrences[visit.occurrence];
  record.occurrence = unpack_occurrence(spool_.read(place.entry));
  names_.give(visit.depth, record.occurrence);
  record.status = judged(visit, record.occurrence.status);
  record.errors = record.occurrence.errors;
  if (visit.kind == Visit::Kind::duplicate) record.status = worst(record.status, Status::duplicate);
  if (visit.kind == Visit::Kind::quine) {
    record.status = worst(record.status, Status::limit);
    append_error(record.errors, "", "quine", "equal to a payload that holds it: not opened again");
    record.limit = "quine";
  }
  if (visit.depth == 0 && root_.status != Status::ok) {
    record.status = worst(record.status, root_.status);
    append_error(record.errors, "", root_.message_kind, root_.message);
  }
  if (visit.kind == Visit::Kind::first) add_content(visit, record);
  count(visit, record);
  return record;
}

void RecordReader::add_content(const Visit& visit, Record& record) {
  const auto& content =
      root_.results->contents[root_.results->occurrences[visit.occurrence].content];
  if (content.expansion != no_entry) {
    record.expansion = unpack_expansion(spool_.read(content.expansion));
    record.status = worst(record.status, judged(visit, record.expansion.status));
    add_errors(record.errors, record.expansion.errors);
    if (record.expansion.status == Status::limit) {
      const char* cut = root_.cut.load();
      record.limit = cut != nullptr ? cut : "depth";
    }
  }
  if (content.workers != no_entry) {
    record.workers = unpack_workers(spool_.read(content.workers));
    record.status = worst(record.status, judged(visit, record.workers.status));
    add_errors(record.errors, record.workers.errors);
  }
  for (auto at = content.counts; at != no_entry;) {
    const auto part = unpack_counts(counts_.read(at));
    record.counts.declared += part.declared;
    record.counts.emitted += part.emitted;
    for (const auto& item : part.dropped) record.counts.drop(item.limit, item.count, item.bytes);
    at = part.previous;
  }
  std::sort(record.counts.dropped.begin(), record.counts.dropped.end(),
            [](const auto& a, const auto& b) { return a.limit < b.limit; });
  for (const auto& item : record.counts.dropped) {
    record.status = worst(record.status, status_of_drop(item.limit));
    totals_.count(totals_.limits, item.limit);
  }
}

void RecordReader::count(const Visit& visit, const Record& record) {
  if (record.limit != nullptr) totals_.count(totals_.limits, record.limit);
  if (record.status >= Status::timeout) root_.repeatable = false;
  ++totals_.payloads;
  totals_.bytes += record.occurrence.size;
  totals_.declared += record.counts.declared;
  totals_.emitted += record.counts.emitted;
  totals_.dropped += record.counts.dropped_count();
  ++totals_.statuses[static_cast<std::size_t>(record.status)];
  const auto label = record.workers.label.empty() ? record.expansion.type : record.workers.label;
  if (visit.kind == Visit::Kind::first) {
    totals_.count(totals_.types, label.empty() ? std::string_view("(not typed)") : label);
  }
}

}  // namespace stoq::engine
