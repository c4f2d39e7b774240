#include "engine/stoq_record.hpp"

#include <chrono>
#include <ctime>
#include <utility>

#include "support/json.hpp"

namespace stoq::engine {
namespace {

std::string now_text() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts)};
}

/// The value of a text member of a JSON object that we rendered ourselves; empty when absent.
std::string_view member_of(std::string_view object, std::string_view key) {
  const auto quoted = '"' + std::string(key) + "\":\"";
  const auto at = object.find(quoted);
  if (at == object.npos) return {};
  const auto begin = at + quoted.size();
  return object.substr(begin, object.find('"', begin) - begin);
}

}  // namespace

StoqRecordWriter::StoqRecordWriter(const Config& config, const PluginSet& plugins, RootState& root,
                                   Lane& lane, Totals& totals)
    : config_(config), plugins_(plugins), root_(root), totals_(totals), ids_(root, lane) {}

void StoqRecordWriter::write(Assembler::Take take) {
  ++totals_.roots;
  if (root_.results->occurrences.empty()) {
    add_bare_root(take);
  } else {
    add_tree(take);
  }
  if (config_.split) return;
  std::string plugins, results;
  for (const auto& level : levels_) {
    if (!plugins.empty()) (plugins += ',', results += ',');
    plugins += level.plugins;
    results += level.results;
  }
  auto line = document(levels_.back().next, plugins, results);
  take(line, 1);
}

void StoqRecordWriter::add_bare_root(Assembler::Take take) {
  Record record;
  record.status = root_.status == Status::ok ? Status::partial : root_.status;
  record.occurrence.name = root_.name();
  append_error(record.errors, "", to_string(record.status), root_.message);
  ++totals_.payloads;
  ++totals_.statuses[static_cast<std::size_t>(record.status)];
  levels_.resize(1);
  add({Visit::Kind::no_bytes, 0, 0, false}, record, take);
}

void StoqRecordWriter::add_tree(Assembler::Take take) {
  RecordReader reader(plugins_, root_, totals_);
  const RootTree tree(*root_.results, root_.cut_by_source());
  number_payloads(tree);
  tree.walk([&](const Visit& visit) {
    auto record = reader.read(visit);
    // stoQ scans equal payloads each time, and so says of each what it says of the first.
    if (visit.kind == Visit::Kind::duplicate || visit.kind == Visit::Kind::quine) {
      const auto number = root_.results->occurrences[visit.occurrence].content;
      const auto& content = root_.results->contents[number];
      if (content.workers != no_entry) record.workers = reader.workers_of(content);
    }
    add(visit, record, take);
    return true;
  });
}

/// As stoQ does: the root, then what came out of it, then what came out of that.
void StoqRecordWriter::number_payloads(const RootTree& tree) {
  tree.walk([&](const Visit& visit) {
    if (visit.depth >= levels_.size()) levels_.resize(visit.depth + 1);
    ++levels_[visit.depth].next;
    return true;
  });
  std::uint64_t before = 0;
  for (auto& level : levels_) before += std::exchange(level.next, before);
}

void StoqRecordWriter::add(const Visit& visit, const Record& record, Assembler::Take take) {
  auto& level = levels_[visit.depth];
  render(visit, record, level.next++);
  if (config_.split) {
    auto line = document(1, plugin_, result_);
    take(line, 1);
    return;
  }
  if (!level.plugins.empty()) (level.plugins += ',', level.results += ',');
  level.plugins += plugin_;
  level.results += result_;
}

std::string StoqRecordWriter::document(std::uint64_t payloads, std::string_view plugins,
                                       std::string_view results) const {
  std::string line;
  {
    support::JsonObject object(line);
    if (config_.timing) object.text("date", now_text());
    object.number("payloads", payloads);
    ((object.key("plugins") += '{') += plugins) += '}';
    ((object.key("results") += '[') += results) += ']';
    object.text("tlp", to_string(root_.tlp()));
  }
  return line += '\n';
}

std::string StoqRecordWriter::worker() const {
  return config_.workers.size() == 1 ? config_.workers.front() : "stoq";
}

std::string StoqRecordWriter::plugin_of(const Visit& visit, const Record& record) const {
  if (visit.depth == 0) return worker();
  const auto origin = record.occurrence.origin;
  return std::string(member_of(origin, "category")) + ":" +
         std::string(member_of(origin, "plugin"));
}

bool StoqRecordWriter::is_archived(const Visit& visit, const Record& record) const {
  if (visit.depth > 0 || config_.archive.empty() || record.occurrence.digests.empty()) return false;
  return record.errors.find("\"connector:" + config_.archive + '"') == std::string::npos;
}

void StoqRecordWriter::add_digests(support::JsonObject& object, const Visit& visit,
                                   const Record& record) const {
  if (record.occurrence.digests.empty()) return;
  object.number("size", record.occurrence.size);
  if (!shows_digests(config_, visit.depth)) return;
  // They are members already: "sha256":"…".
  const auto digests = '{' + std::string(record.occurrence.digests);
  for (const auto* name : {"md5", "sha1", "sha256", "sha512"}) {
    if (const auto value = member_of(digests, name); !value.empty()) object.text(name, value);
  }
}

void StoqRecordWriter::add_scan(support::JsonObject& object, const Record& record) const {
  auto& scan = object.key("scan");
  const auto workers = record.workers.workers;
  // What workers say of the file itself stands where they said it.
  const auto file = record.workers.file.empty()
                        ? std::string()
                        : "\"file\":{" + std::string(record.workers.file) + "}";
  if (workers.empty()) {
    scan += file.empty() ? "null" : "{" + file + "}";
  } else if (config_.workers.size() > 1) {
    ((scan += '{') += file.empty() ? "" : file + ",") += workers;
    scan += '}';
  } else {
    auto answer = workers.substr(workers.find(':') + 1);
    if (!file.empty() && answer.starts_with('{')) {
      (scan += '{') += file + ",";
      answer.remove_prefix(1);
    }
    scan += answer;
  }
}

void StoqRecordWriter::render(const Visit& visit, const Record& record, std::uint64_t id) {
  lineage_.resize(visit.depth);
  ordinals_.resize(visit.depth == 0 ? 0 : visit.depth - 1);
  if (visit.depth > 0) ordinals_.push_back(root_.results->occurrences[visit.occurrence].ordinal);
  lineage_.push_back(ids_.make(ordinals_, record.occurrence));
  const auto plugin = plugin_of(visit, record);
  (plugin_ = '"') += std::to_string(id) + "\":";
  support::append_json_string(plugin_, plugin);

  result_.clear();
  support::JsonObject object(result_);
  if (is_archived(visit, record)) object.text("archive", config_.archive);
  if (visit.depth > 0) object.text("dispatcher", plugin);
  object.text("filename", record.occurrence.name);
  add_digests(object, visit, record);
  if (visit.depth == 0) object.text("path", root_.root.path);
  object.number("payload_id", id);
  object.text("plugin", worker());
  if (record.occurrence.origin.find("\"save\":true") != std::string::npos) {
    object.text("save", "True");
  }
  add_scan(object, record);
  support::append_json(object.key("source_meta"), visit.depth == 0 && !root_.root.meta.is_null()
                                                      ? root_.root.meta
                                                      : Value(Value::Object{}));
  object.text("status", to_string(record.status));
  if (!record.errors.empty()) ((object.key("errors") += '[') += record.errors) += ']';
  auto& uuid = object.key("uuid") += '[';
  for (std::size_t i = 0; i < lineage_.size(); ++i) {
    if (i > 0) uuid += ',';
    support::append_json_string(uuid, lineage_[i].text());
  }
  uuid += ']';
}

}  // namespace stoq::engine
