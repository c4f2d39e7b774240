#include "plugins/truth.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <sstream>

#include "support/digest.hpp"
#include "support/json.hpp"

namespace stoq::testing {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string_view> case_words{
    "name",     "input",   "payload_name",    "type",    "depth",
    "args",     "options", "max_child_bytes", "throws",  "children",
    "declared", "dropped", "result",          "comment", "needs"};
const std::vector<std::string_view> child_words{"name",      "name_hex",    "size",   "sha256",
                                                "status",    "offset",      "meta",   "message",
                                                "encrypted", "keep_prefix", "comment"};
const std::vector<std::string_view> throw_words{"corrupt",  "encrypted", "unsupported",
                                                "io_error", "limit",     "config"};

std::string strange_word(const Json& object, const std::vector<std::string_view>& known) {
  if (!object.is_object()) return "an object is expected, not " + object.dump();
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      return "unknown word '" + key + "' (truth.hpp lists those known)";
    }
  }
  return {};
}

std::string check_line(const Json& truth) {
  if (auto strange = strange_word(truth, case_words); !strange.empty()) return strange;
  if (!truth.contains("name") || !truth.contains("input")) return "needs 'name' and 'input'";
  const auto thrown = truth.value("throws", "corrupt");
  if (std::find(throw_words.begin(), throw_words.end(), thrown) == throw_words.end()) {
    return "throws is '" + thrown + "'";
  }
  bool checks = false;
  for (const auto* word : {"throws", "children", "declared", "dropped", "result"}) {
    checks = checks || truth.contains(word);
  }
  if (!checks) return "compares nothing";
  for (const auto& child : truth.value("children", Json::array())) {
    if (auto strange = strange_word(child, child_words); !strange.empty()) return strange;
  }
  return {};
}

Value to_value(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_number()) return json.get<std::int64_t>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    Value::Array items;
    for (const auto& item : json) items.push_back(to_value(item));
    return items;
  }
  if (!json.is_object()) return {};
  Value::Object members;
  for (const auto& [key, value] : json.items()) members.emplace_back(key, to_value(value));
  return members;
}

Json to_json(const Value& value) {
  std::string text;
  support::append_json(text, value);
  return Json::parse(text);
}

/// As a record spells a name that may hold any bytes.
std::string printable(std::string_view text) {
  std::string out;
  support::append_json_string(out, text);
  return Json::parse(out).get<std::string>();
}

std::string hex(ByteView bytes) {
  std::string out;
  support::append_hex(out, bytes);
  return out;
}

/// Takes what a source delivers as children: path, content, status and message.
class RootCollector : public Intake {
 public:
  explicit RootCollector(Outcome& outcome) : outcome_(outcome) {}

  bool put(Root root) override {
    auto bytes = root.file.empty() || root.status != Status::ok
                     ? std::string(as_chars(root.bytes.view()))
                     : read_file(root.file);
    outcome_.children.push_back({std::move(bytes), info(root), root.status, root.message});
    return true;
  }
  bool produce(Root root, std::uint64_t, Children::Fill fill) override {
    Collector collector;
    collector.produce(info(root), 0, fill);
    outcome_.dropped += collector.dropped;
    for (auto& child : collector.children) outcome_.children.push_back(std::move(child));
    return true;
  }
  void expect(std::uint64_t roots, std::uint64_t) override { outcome_.declared = roots; }

 private:
  static ChildInfo info(const Root& root) {
    ChildInfo info;
    info.name = root.path;
    info.meta = root.meta;
    return info;
  }
  Outcome& outcome_;
};

/// Calls the plugin and writes down how it ended.
template <class Call>
void record(Outcome& outcome, Call call) {
  const auto ended = [&outcome](const char* how, const std::string& why) {
    outcome.thrown = how;
    outcome.message = why;
  };
  try {
    call();
  } catch (const Encrypted& error) {
    ended("encrypted", error.what());
  } catch (const Unsupported& error) {
    ended("unsupported", error.what());
  } catch (const MalformedInput& error) {
    ended("corrupt", error.what());
  } catch (const IoError& error) {
    ended("io_error", error.what());
  } catch (const Error& error) {
    ended("another stoq::Error", error.what());
  } catch (const LimitReached& limit) {
    ended("limit", limit.limit);
  }
}

/// A plugin that looks at stop_requested() gets out of a loop that does not end. Of processor time:
/// it does not go on while the machine stands still.
struct Deadline {
  std::clock_t time = std::clock() + std::clock_t{20} * CLOCKS_PER_SEC;
  static bool passed(const void* context) noexcept {
    return std::clock() > static_cast<const Deadline*>(context)->time;
  }
};

void call_plugin(const LoadedPlugin& plugin, const Payload& payload, const Request& request,
                 Collector& collector, Outcome& outcome) {
  switch (plugin.category()) {
    case Category::worker:
      outcome.result = plugin.as<Worker>().scan(payload, request);
      return;
    case Category::reader:
      outcome.result = plugin.as<Reader>().read(payload, request);
      return;
    case Category::extractor:
      plugin.as<Extractor>().extract(payload, request, collector);
      return;
    case Category::carver:
      plugin.as<Carver>().carve(payload, request, collector);
      return;
    case Category::decoder:
      plugin.as<Decoder>().decode(payload, request, collector);
      return;
    case Category::source:
    case Category::connector:
      break;
  }
  throw std::logic_error("this category takes no payload: write a *_test.cpp");
}

bool number_equal(const Json& is, const Json& must) {
  if (!is.is_number_float() && !must.is_number_float()) return is == must;
  const auto a = is.get<double>();
  const auto b = must.get<double>();
  return std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b));
}

/// Where `is` does not hold what `must` asks for; null stands for an absent member.
void compare(const Json& is, const Json& must, const std::string& where,
             std::vector<std::string>& found) {
  if (must.is_object() && is.is_object()) {
    for (const auto& [key, value] : must.items()) {
      compare(is.contains(key) ? is[key] : Json(), value, where + "." + key, found);
    }
    return;
  }
  if (must.is_array() && is.is_array() && must.size() == is.size()) {
    for (std::size_t i = 0; i < must.size(); ++i) {
      compare(is[i], must[i], where + "[" + std::to_string(i) + "]", found);
    }
    return;
  }
  const bool equal = must.is_number() && is.is_number() ? number_equal(is, must) : is == must;
  if (!equal) found.push_back(where + " is " + is.dump() + ", must be " + must.dump());
}

Json describe(const Child& child) {
  Json is{{"name", printable(child.info.name)},
          {"name_hex", hex(as_bytes(child.info.name))},
          {"size", child.bytes.size()},
          {"sha256", hex(support::Digester().sha256({as_bytes(child.bytes)}))},
          {"status", std::string(to_string(child.status))},
          {"encrypted", child.info.encrypted},
          {"keep_prefix", child.info.keep_prefix},
          {"meta", to_json(child.info.meta)},
          {"message", printable(child.message)}};
  if (child.info.offset) is["offset"] = *child.info.offset;
  return is;
}

void compare_child(const Child& child, Json must, const std::string& where,
                   std::vector<std::string>& found) {
  must.erase("comment");
  if (must.contains("message")) {
    if (printable(child.message).find(must["message"].get<std::string>()) == std::string::npos) {
      found.push_back(where + ".message is '" + child.message + "'");
    }
    must.erase("message");
  }
  compare(describe(child), must, where, found);
}

std::string list_of(const std::vector<Child>& children) {
  std::string list;
  for (const auto& child : children) {
    list += "\n    " + printable(child.info.name) + " (" + std::to_string(child.bytes.size()) +
            " bytes, " + std::string(to_string(child.status)) + ") " + printable(child.message);
  }
  return list;
}

}  // namespace

void PrintTo(const PluginPlace& place, std::ostream* out) {
  *out << place.category << ':' << place.name;
}

void PrintTo(const TruthCase& test, std::ostream* out) {
  PrintTo(test.place, out);
  *out << ", line " << test.line;
}

std::string read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error(file.string() + " cannot be read");
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<TruthCase> read_truth(const PluginPlace& place) {
  std::vector<TruthCase> cases;
  std::ifstream in(place.tests() / "truth.jsonl");
  std::string text;
  for (std::size_t line = 1; std::getline(in, text); ++line) {
    if (text.find_first_not_of(" \t\r") == text.npos) continue;
    TruthCase test{place, line, {}, {}};
    try {
      test.truth = Json::parse(text);
      test.error = check_line(test.truth);
    } catch (const Json::exception& error) {
      test.error = error.what();
    }
    cases.push_back(std::move(test));
  }
  return cases;
}

Options::Map case_options(const TruthCase& test) {
  Options::Map options;
  const auto folder = test.place.input().parent_path().string();
  const auto given = test.truth.value("options", Json::object());
  for (const auto& [key, value] : given.items()) {
    auto text = value.is_string() ? value.get<std::string>() : value.dump();
    constexpr std::string_view mark = "${input}";
    for (auto at = text.find(mark); at != text.npos; at = text.find(mark, at + folder.size())) {
      text.replace(at, mark.size(), folder);
    }
    options[key] = text;
  }
  return options;
}

bool is_left_out(const TruthCase& test) {
  const auto needed = test.truth.value("needs", "");
  const auto slash = needed.find('/');
  return slash != needed.npos &&
         is_left_out(PluginPlace{needed.substr(0, slash), needed.substr(slash + 1)});
}

Outcome run_bytes(const LoadedPlugin& plugin, const TruthCase& test, std::string_view bytes,
                  Collector& collector) {
  // Exactly as large as the payload, so that a sanitizer sees any byte read behind it.
  const auto view = as_bytes(bytes);
  Payload payload;
  payload.bytes = Bytes::own(std::vector<std::byte>(view.begin(), view.end()));
  payload.name = test.truth.value("payload_name", test.truth.value("input", ""));
  const auto type = test.truth.value("type", "");
  payload.type = type;
  payload.depth = test.truth.value("depth", 0U);
  const auto args = to_value(test.truth.value("args", Json::object()));
  const Deadline deadline;
  const Request request(args, &Deadline::passed, &deadline);
  Outcome outcome;
  record(outcome, [&] { call_plugin(plugin, payload, request, collector, outcome); });
  if (Deadline::passed(&deadline)) throw std::runtime_error("took more than 20 s");
  collector.name_children(plugin.as<Plugin>(), payload.name);
  outcome.children = std::move(collector.children);
  outcome.declared = collector.declared;
  outcome.dropped = collector.dropped;
  return outcome;
}

Outcome run_case(const LoadedPlugin& plugin, const TruthCase& test) {
  const auto input = test.truth.value("input", "");
  if (plugin.category() == Category::source) {
    Outcome outcome;
    fs::current_path(test.place.input());
    RootCollector intake(outcome);
    record(outcome, [&] { plugin.as<Source>().ingest({{input}, {}, {}, {}}, intake); });
    return outcome;
  }
  Collector collector(test.truth.value("max_child_bytes", std::size_t{256} << 20U));
  return run_bytes(plugin, test, read_file(test.place.input(input)), collector);
}

std::vector<std::string> differences(const Outcome& outcome, const Json& truth) {
  std::vector<std::string> found;
  if (const auto must = truth.value("throws", ""); outcome.thrown != must) {
    found.push_back("throws '" + outcome.thrown + "' (" + outcome.message + "), must be '" + must +
                    "'");
  }
  if (truth.contains("children")) {
    const auto& children = truth["children"];
    if (children.size() != outcome.children.size()) {
      found.push_back(std::to_string(outcome.children.size()) + " children, must be " +
                      std::to_string(children.size()) + list_of(outcome.children));
    }
    for (std::size_t i = 0; i < std::min(children.size(), outcome.children.size()); ++i) {
      compare_child(outcome.children[i], children[i], "children[" + std::to_string(i) + "]", found);
    }
  }
  if (truth.contains("declared")) compare(outcome.declared, truth["declared"], "declared", found);
  if (truth.contains("dropped")) compare(outcome.dropped, truth["dropped"], "dropped", found);
  if (truth.contains("result")) compare(to_json(outcome.result), truth["result"], "result", found);
  return found;
}

}  // namespace stoq::testing
