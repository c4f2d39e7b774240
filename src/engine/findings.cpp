#include "engine/findings.hpp"

#include <string>

#include "support/json.hpp"

namespace stoq::engine {
namespace {

void add_file(WorkersEntry& entry, const Value& fields) {
  if (const auto type = fields.text("mime_type"); !type.empty()) entry.label = type;
  std::string file;
  support::append_json(file, fields);
  if (file.size() <= 2) return;
  if (!entry.file.empty()) entry.file += ',';
  entry.file.append(file, 1, file.size() - 2);
}

void add_member(std::string& members, std::string_view name, const Value& value) {
  std::string text;
  support::append_json(text, value);
  if (text == "null" || text == "{}" || text == "[]") return;
  if (!members.empty()) members += ',';
  support::append_json_string(members, name);
  (members += ':') += text;
}

}  // namespace

std::size_t add_findings(WorkersEntry& entry, const PluginEntry& worker, const Value& found) {
  const auto* const answer = found.get_if<Value::Object>();
  if (answer == nullptr) return 0;
  std::string members;
  for (const auto& [name, value] : *answer) {
    if (name == "error") {
      entry.status = worst(entry.status, Status::partial);
      append_error(entry.errors, worker.qualified, "incomplete", found.text("error"));
    } else if (!worker.save_results) {
      continue;
    } else if (name == "file") {
      add_file(entry, value);
    } else {
      add_member(members, name, value);
    }
  }
  if (members.empty()) return 0;
  if (!entry.workers.empty()) entry.workers += ',';
  support::append_json_string(entry.workers, worker.name);
  ((entry.workers += ":{") += members) += '}';
  return members.size();
}

}  // namespace stoq::engine
