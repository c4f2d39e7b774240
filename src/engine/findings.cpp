#include "engine/findings.hpp"

#include <string>

#include "support/json.hpp"

namespace stoq::engine {
namespace {

/// Appends `,` where something stands already.
void separate(std::string& list) {
  if (!list.empty() && list.back() != '{') list += ',';
}

void add_file(WorkersEntry& entry, const Value& fields) {
  if (const auto type = fields.text("mime_type"); !type.empty()) entry.label = type;
  auto& file = entry.file;
  const auto before = file.size();
  separate(file);
  const auto brace = file.size();
  support::append_json(file, fields);
  if (file.size() - brace <= 2) {
    file.resize(before);
  } else {
    file.pop_back();
    file.erase(brace, 1);
  }
}

void add_member(std::string& members, std::string_view name, const Value& value) {
  const auto before = members.size();
  separate(members);
  support::append_json_string(members, name);
  const auto at = (members += ':').size();
  support::append_json(members, value);
  const auto text = std::string_view(members).substr(at);
  if (text == "null" || text == "{}" || text == "[]") members.resize(before);
}

}  // namespace

std::size_t add_findings(WorkersEntry& entry, const PluginEntry& worker, const Value& found) {
  const auto* const answer = found.get_if<Value::Object>();
  if (answer == nullptr) return 0;
  auto& workers = entry.workers;
  const auto before = workers.size();
  separate(workers);
  support::append_json_string(workers, worker.name);
  const auto begin = (workers += ":{").size();
  for (const auto& [name, value] : *answer) {
    if (name == "error") {
      entry.status = worst(entry.status, Status::partial);
      append_error(entry.errors, worker.qualified, "incomplete", found.text("error"));
    } else if (!worker.save_results) {
      continue;
    } else if (name == "file") {
      add_file(entry, value);
    } else {
      add_member(workers, name, value);
    }
  }
  const auto size = workers.size() - begin;
  if (size == 0) {
    workers.resize(before);
  } else {
    workers += '}';
  }
  return size;
}

}  // namespace stoq::engine
