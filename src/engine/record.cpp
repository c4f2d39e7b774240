#include "engine/record.hpp"

#include <algorithm>
#include <utility>

#include "engine/payload_path.hpp"
#include "support/json.hpp"

namespace stoq::engine {
namespace {

constexpr std::size_t block = std::size_t{256} << 10;
// Most lines are shorter; malloc() takes longer from 1 KiB on.
constexpr std::size_t usual_line = 960;

std::string_view base_name(std::string_view path) {
  const auto from = std::find_if(path.rbegin(), path.rend(),
                                 [](char letter) { return letter == '/' || letter == '\\'; });
  return path.substr(static_cast<std::size_t>(path.rend() - from));
}

std::string extension_of(std::string_view name) {
  const auto dot = name.find_last_of('.');
  if (dot == name.npos || dot == 0 || name.size() - dot > 17) return {};
  std::string extension(name.substr(dot + 1));
  for (auto& letter : extension) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return extension;
}

void base64_member(support::JsonObject& object, std::string_view key, std::string_view bytes) {
  auto& out = object.key(key) += '"';
  support::append_base64(out, bytes);
  out += '"';
}

}  // namespace

RecordId RecordIds::make(const std::vector<std::uint32_t>& ordinals, const OccurrenceView& entry) {
  place_ = root_.root.path;
  place_ += '\0';
  for (const auto ordinal : ordinals) (place_ += std::to_string(ordinal)) += '.';
  place_ += '\0';
  const ByteView digest = entry.digests.empty() ? ByteView{} : ByteView(entry.sha256);
  const auto hash = lane_.digester.sha256({as_bytes(place_), digest});
  RecordId id;
  support::to_hex(ByteView(hash).first(id.digits.size() / 2), id.digits.data());
  return id;
}

RecordWriter::RecordWriter(const Config& config, const PluginSet& plugins, RootState& root,
                           Lane& lane, Totals& totals)
    : config_(config),
      plugins_(plugins),
      root_(root),
      totals_(totals),
      ids_(root, lane),
      first_ids_(root.results->contents.size()) {
  out_.reserve(usual_line);
}

void RecordWriter::write(Assembler::Take take) {
  ++totals_.roots;
  if (root_.results->occurrences.empty()) {
    bare_root();
    take(out_, 1);
    return;
  }
  std::size_t count = 0;
  RecordReader reader(plugins_, root_, totals_);
  RootTree(*root_.results, root_.cut_by_source()).walk([&](const Visit& visit) {
    line(visit, reader.read(visit));
    ++count;
    if (out_.size() >= block) {
      take(out_, count);
      out_.clear();
      count = 0;
    }
    return true;
  });
  if (count > 0) take(out_, count);
}

void RecordWriter::bare_root() {
  // Nothing of it was scanned: filtered, unreadable, or the run ended first.
  Record record;
  record.status = root_.status == Status::ok ? Status::partial : root_.status;
  record.occurrence.name = root_.name();
  append_error(record.errors, "",
               root_.message_kind.empty() ? to_string(record.status) : root_.message_kind,
               root_.message.empty() ? "not scanned" : root_.message);
  ++totals_.payloads;
  ++totals_.statuses[static_cast<std::size_t>(record.status)];
  line({Visit::Kind::no_bytes, 0, 0, false}, record);
}

void RecordWriter::line(const Visit& visit, const Record& record) {
  const auto ordinal =
      root_.results->occurrences.empty() ? 0 : root_.results->occurrences[visit.occurrence].ordinal;
  lineage_.resize(visit.depth);
  ordinals_.resize(visit.depth == 0 ? 0 : visit.depth - 1);
  if (visit.depth > 0) ordinals_.push_back(ordinal);
  lineage_.push_back(ids_.make(ordinals_, record.occurrence));
  add_path(visit.depth, record.occurrence.name, ordinal);
  if (visit.kind == Visit::Kind::first && !first_ids_.empty()) {
    first_ids_[root_.results->occurrences[visit.occurrence].content] = lineage_.back();
  }
  {
    support::JsonObject object(out_);
    file_object(object.key("file"), visit.depth, record);
    stoq_object(object.key("stoq"), visit, record);
    if (config_.timing && record.workers.nanoseconds > 0) {
      support::JsonObject event(object.key("event"));
      event.number("duration", record.workers.nanoseconds);
    }
  }
  out_ += '\n';
}

void RecordWriter::add_path(std::uint32_t depth, std::string_view name, std::uint32_t ordinal) {
  if (paths_.size() <= depth) paths_.resize(depth + 1);
  auto& path = paths_[depth];
  if (depth == 0) {
    path = escaped_layer(root_.root.path);
  } else {
    (path = paths_[depth - 1]) += '!';
    path += child_layer(name, ordinal);
  }
}

void RecordWriter::file_object(std::string& out, std::uint32_t depth, const Record& record) {
  support::JsonObject file(out);
  const auto name = base_name(record.occurrence.name);
  if (!name.empty()) file.text("name", name);
  file.text("path", root_.root.path);
  if (const auto extension = extension_of(name); !extension.empty()) {
    file.text("extension", extension);
  }
  if (record.occurrence.digests.empty()) return;
  file.number("size", record.occurrence.size);
  if (shows_digests(config_, depth)) {
    ((file.key("hash") += '{') += record.occurrence.digests) += '}';
  }
  if (!record.workers.file.empty()) (out += ',') += record.workers.file;
}

void RecordWriter::add_origin(std::string& out, const OccurrenceView& entry) {
  out += entry.origin.substr(0, entry.member_at);
  if (!entry.name.empty()) {
    support::append_json_string(out += ",\"member\":", entry.name);
    if (!support::is_utf8(entry.name)) {
      support::append_base64(out += ",\"member_b64\":\"", entry.name);
      out += '"';
    }
  }
  out += entry.origin.substr(entry.member_at);
}

void RecordWriter::stoq_object(std::string& out, const Visit& visit, const Record& record) {
  support::JsonObject object(out);
  object.number("schema", 1);
  object.text("id", lineage_.back().text());
  object.text("root", lineage_.front().text());
  if (visit.depth > 0) object.text("parent", lineage_[visit.depth - 1].text());
  object.number("depth", visit.depth);
  auto& ordinals = object.key("ordinal") += '[';
  ordinals += std::to_string(root_.number);
  for (const auto ordinal : ordinals_) (ordinals += ',') += std::to_string(ordinal);
  ordinals += ']';
  object.text("path", paths_[visit.depth]);
  if (visit.depth == 0 && !support::is_utf8(root_.root.path)) {
    base64_member(object, "path_b64", root_.root.path);
  }
  if (const auto name = base_name(record.occurrence.name); !support::is_utf8(name)) {
    base64_member(object, "name_b64", name);
  }
  if (!record.occurrence.origin.empty()) add_origin(object.key("origin"), record.occurrence);
  if (visit.depth == 0 && !root_.root.meta.is_null()) {
    support::append_json(object.key("meta"), root_.root.meta);
  }
  object.text("status", to_string(record.status));
  if (root_.root.tlp) object.text("tlp", to_string(*root_.root.tlp));
  if (!record.expansion.type.empty()) object.text("type", record.expansion.type);
  if (!record.expansion.dispatch.empty()) {
    ((object.key("dispatch") += '[') += record.expansion.dispatch) += ']';
  }
  if (visit.kind == Visit::Kind::duplicate || visit.kind == Visit::Kind::quine) {
    object.text("duplicate_of",
                first_ids_[root_.results->occurrences[visit.occurrence].content].text());
  }
  if (record.counts.declared > 0 || !record.counts.dropped.empty()) {
    support::JsonObject children(object.key("children"));
    children.number("declared", record.counts.declared);
    children.number("emitted", record.counts.emitted);
    if (!record.counts.dropped.empty()) {
      auto& list = children.key("dropped") += '[';
      for (const auto& item : record.counts.dropped) {
        if (list.back() != '[') list += ',';
        support::JsonObject dropped(list);
        dropped.text("limit", item.limit);
        dropped.number("count", item.count);
        if (item.bytes > 0) dropped.number("bytes", item.bytes);
      }
      list += ']';
    }
  }
  if (!record.workers.workers.empty()) {
    ((object.key("workers") += '{') += record.workers.workers) += '}';
  }
  if (!record.errors.empty()) ((object.key("errors") += '[') += record.errors) += ']';
}

}  // namespace stoq::engine
