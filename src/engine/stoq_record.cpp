#include "engine/stoq_record.hpp"

#include <chrono>
#include <ctime>

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

StoqRecordWriter::StoqRecordWriter(const Config& config, RootState& root, Lane& lane,
                                   Totals& totals)
    : config_(config), root_(root), totals_(totals), ids_(root, lane) {}

void StoqRecordWriter::write(Assembler::Take take) {
  ++totals_.roots;
  if (root_.results->occurrences.empty()) {
    Record record;
    record.status = root_.status == Status::ok ? Status::partial : root_.status;
    record.occurrence.name = root_.name();
    append_error(record.errors, "", to_string(record.status), root_.message);
    ++totals_.payloads;
    ++totals_.statuses[static_cast<std::size_t>(record.status)];
    result({Visit::Kind::no_bytes, 0, 0, false}, record);
  }
  Spool::Reader reader(root_.results->spool);
  RootTree(*root_.results, root_.cut_by_source()).walk([&](const Visit& visit) {
    result(visit, join_record(root_, reader, visit, totals_));
    return true;
  });
  std::string out;
  {
    support::JsonObject object(out);
    if (config_.timing) object.text("date", now_text());
    object.number("payloads", count_);
    ((object.key("plugins") += '{') += plugins_) += '}';
    ((object.key("results") += '[') += results_) += ']';
    object.text("tlp", to_string(root_.tlp()));
  }
  out += '\n';
  take(out, 1);
}

std::string StoqRecordWriter::plugin_of(const Visit& visit, const Record& record) const {
  if (visit.depth == 0) return config_.workers.size() == 1 ? config_.workers.front() : "stoq";
  const auto& origin = record.occurrence.origin;
  return std::string(member_of(origin, "category")) + ":" +
         std::string(member_of(origin, "plugin"));
}

void StoqRecordWriter::result(const Visit& visit, const Record& record) {
  lineage_.resize(visit.depth);
  ordinals_.resize(visit.depth == 0 ? 0 : visit.depth - 1);
  if (visit.depth > 0) ordinals_.push_back(root_.results->occurrences[visit.occurrence].ordinal);
  lineage_.push_back(ids_.make(ordinals_, record.occurrence));
  const auto id = std::to_string(count_);
  const auto plugin = plugin_of(visit, record);
  if (count_++ > 0) {
    plugins_ += ',';
    results_ += ',';
  }
  ((plugins_ += '"') += id) += "\":";
  support::append_json_string(plugins_, plugin);

  support::JsonObject object(results_);
  if (visit.depth > 0) object.text("dispatcher", plugin);
  object.text("filename", record.occurrence.name);
  if (!record.occurrence.digests.empty()) {
    object.number("size", record.occurrence.size);
    // The digests are members already: "sha256":"…".
    const auto digests =
        '{' + (shows_digests(config_, visit.depth) ? record.occurrence.digests : std::string());
    for (const auto* name : {"md5", "sha1", "sha256", "sha512"}) {
      if (const auto value = member_of(digests, name); !value.empty()) {
        object.text(name, value);
      }
    }
  }
  if (visit.depth == 0) object.text("path", root_.root.path);
  object.number("payload_id", count_ - 1);
  object.text("plugin", config_.workers.size() == 1 ? config_.workers.front() : "stoq");
  if (record.occurrence.origin.find("\"save\":true") != std::string::npos) {
    object.text("save", "True");
  }
  auto& scan = object.key("scan");
  const auto& workers = record.workers.workers;
  if (workers.empty()) {
    scan += "null";
  } else if (config_.workers.size() == 1) {
    scan += std::string_view(workers).substr(workers.find(':') + 1);
  } else {
    ((scan += '{') += workers) += '}';
  }
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
