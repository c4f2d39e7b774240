#include "engine/dispatcher.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include <yara.h>

#include <stoq/error.hpp>

#include "engine/plugin_registry.hpp"
#include "support/json.hpp"

namespace stoq::engine {
namespace {

constexpr std::size_t large = std::size_t{64} << 20;
constexpr std::size_t window_head = std::size_t{16} << 20;
constexpr std::size_t window_tail = std::size_t{64} << 10;
// Our bytes, not somebody's mapping that may shrink: no signal handlers, which cost 20 µs a scan.
constexpr int scan_flags = SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING;

struct CompileErrors {
  const std::vector<Dispatcher::Source>& sources;
  std::size_t current = 0;
  std::string text;
};

void on_compile_error(int level, const char* /*file*/, int line, const YR_RULE* /*rule*/,
                      const char* message, void* context) {
  if (level != YARA_ERROR_LEVEL_ERROR) return;
  auto& errors = *static_cast<CompileErrors*>(context);
  if (!errors.text.empty()) errors.text += '\n';
  errors.text +=
      errors.sources[errors.current].origin + ":" + std::to_string(line) + ": " + message;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> items;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    auto item = list.substr(0, end);
    list.remove_prefix(std::min(list.size(), end + 1));
    const auto first = item.find_first_not_of(" \t");
    if (first == item.npos) continue;
    items.emplace_back(item.substr(first, item.find_last_not_of(" \t") - first + 1));
  }
  return items;
}

struct ScanState {
  const std::vector<DispatchRule>& rules;
  std::string_view producer;
  YR_RULES* compiled;
  Plan& plan;
};

// libyara packs its matches behind copied data of any length, so they need not be aligned.
__attribute__((no_sanitize("alignment"))) std::int64_t first_offset(YR_SCAN_CONTEXT* context,
                                                                    YR_RULE* rule) {
  std::int64_t first = -1;
  YR_STRING* string = nullptr;
  yr_rule_strings_foreach(rule, string) {
    YR_MATCH* match = nullptr;
    yr_string_matches_foreach(context, string, match) {
      const auto at = match->base + match->offset;
      if (first < 0 || at < first) first = at;
    }
    if (first >= 0) break;
  }
  return first;
}

int on_match(YR_SCAN_CONTEXT* context, int message, void* data, void* user) {
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
  auto& state = *static_cast<ScanState*>(user);
  auto* rule = static_cast<YR_RULE*>(data);
  const auto& known = state.rules[static_cast<std::size_t>(rule - state.compiled->rules_table)];
  if (std::find(known.not_from.begin(), known.not_from.end(), state.producer) !=
      known.not_from.end()) {
    return CALLBACK_CONTINUE;
  }
  if (state.plan.type.empty()) state.plan.type = known.type;
  for (const auto& target : known.targets) {
    const auto planned =
        std::any_of(state.plan.calls.begin(), state.plan.calls.end(),
                    [&](const PlannedCall& call) { return call.target->key == target.key; });
    if (!planned) state.plan.calls.push_back({&known, &target, first_offset(context, rule)});
  }
  return CALLBACK_CONTINUE;
}

/// The head and the tail of a large payload as libyara's blocks.
struct Window {
  ByteView bytes;
  int next = 0;
  YR_MEMORY_BLOCK block{};
};

const std::uint8_t* fetch(YR_MEMORY_BLOCK* block) {
  const auto& window = *static_cast<const Window*>(block->context);
  return reinterpret_cast<const std::uint8_t*>(window.bytes.subspan(block->base).data());
}

YR_MEMORY_BLOCK* advance(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  auto& window = *static_cast<Window*>(iterator->context);
  if (window.next > 1) return nullptr;
  const auto size = window.next == 0 ? window_head : window_tail;
  window.block.base = window.next == 0 ? 0 : window.bytes.size() - size;
  window.block.size = size;
  window.block.context = &window;
  window.block.fetch_data = fetch;
  ++window.next;
  return &window.block;
}

YR_MEMORY_BLOCK* rewind(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  static_cast<Window*>(iterator->context)->next = 0;
  return advance(iterator);
}

std::uint64_t whole_size(YR_MEMORY_BLOCK_ITERATOR* iterator) {
  return static_cast<const Window*>(iterator->context)->bytes.size();
}

DispatchRule read_rule(YR_RULE* rule) {
  DispatchRule read;
  read.name = rule->identifier;
  std::string key;
  std::vector<std::string> plugins;
  YR_META* meta = nullptr;
  yr_rule_metas_foreach(rule, meta) {
    const std::string name = meta->identifier;
    const auto is_text = meta->type == META_TYPE_STRING;
    const std::string_view text = is_text ? meta->string : "";
    if (name == "plugin") {
      plugins = split(text);
    } else if (name == "not_from") {
      read.not_from = split(text);
    } else if (name == "type") {
      read.type = text;
    } else if (name == "save") {
      read.save = is_text ? text == "True" || text == "true" : meta->integer != 0;
    } else {
      auto value = is_text                           ? Value(text)
                   : meta->type == META_TYPE_BOOLEAN ? Value(meta->integer != 0)
                                                     : Value(meta->integer);
      support::append_json(key += name + "=", value);
      key += ';';
      read.args.add(name, std::move(value));
    }
  }
  read.args.add("rule", read.name);
  for (auto& plugin : plugins) {
    (void)parse_qualified(plugin, "dispatch rule " + read.name);
    auto call = plugin + ";" + key;
    read.targets.push_back({std::move(plugin), 0, std::move(call)});
  }
  return read;
}

}  // namespace

Dispatcher::Dispatcher(const std::vector<Source>& sources) {
  if (yr_initialize() != ERROR_SUCCESS) throw Error("libyara does not start");
  try {
    compile(sources);
    read_rules();
  } catch (...) {
    if (compiled_ != nullptr) yr_rules_destroy(compiled_);
    yr_finalize();
    throw;
  }
}

Dispatcher::~Dispatcher() {
  yr_rules_destroy(compiled_);
  yr_finalize();
}

void Dispatcher::compile(const std::vector<Source>& sources) {
  YR_COMPILER* raw = nullptr;
  if (yr_compiler_create(&raw) != ERROR_SUCCESS)
    throw Error("libyara has no memory for a compiler");
  const std::unique_ptr<YR_COMPILER, void (*)(YR_COMPILER*)> compiler(raw, yr_compiler_destroy);
  CompileErrors errors{sources, 0, {}};
  yr_compiler_set_callback(raw, on_compile_error, &errors);
  for (; errors.current < sources.size(); ++errors.current) {
    const auto& source = sources[errors.current];
    const auto failed = yr_compiler_add_string(raw, source.text.c_str(),
                                               ("ns" + std::to_string(errors.current)).c_str());
    // libyara refuses all further sources once one failed.
    if (failed > 0) throw ConfigError("dispatch rules do not compile:\n" + errors.text);
  }
  if (yr_compiler_get_rules(raw, &compiled_) != ERROR_SUCCESS) {
    throw Error("libyara has no memory for the dispatch rules");
  }
}

void Dispatcher::read_rules() {
  YR_RULE* rule = nullptr;
  yr_rules_foreach(compiled_, rule) { rules_.push_back(read_rule(rule)); }
}

bool Dispatcher::spares(std::string_view producer) const noexcept {
  return std::any_of(rules_.begin(), rules_.end(), [&](const DispatchRule& rule) {
    return std::find(rule.not_from.begin(), rule.not_from.end(), producer) != rule.not_from.end();
  });
}

Dispatcher::Scanner::Scanner(const Dispatcher& dispatcher) : dispatcher_(dispatcher) {
  if (yr_scanner_create(dispatcher.compiled_, &scanner_) != ERROR_SUCCESS) {
    throw Error("libyara has no memory for a scanner");
  }
  yr_scanner_set_flags(scanner_, scan_flags);
}

Dispatcher::Scanner::~Scanner() {
  if (scanner_ != nullptr) yr_scanner_destroy(scanner_);
}

void Dispatcher::Scanner::scan(ByteView bytes, std::string_view producer, Plan& plan) {
  plan.clear();
  if (bytes.empty() || dispatcher_.rules_.empty()) return;
  ScanState state{dispatcher_.rules_, producer, dispatcher_.compiled_, plan};
  yr_scanner_set_callback(scanner_, on_match, &state);
  int failed = 0;
  if (bytes.size() <= large) {
    failed = yr_scanner_scan_mem(scanner_, reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                 bytes.size());
  } else {
    Window window{bytes, 0, {}};
    YR_MEMORY_BLOCK_ITERATOR iterator{};
    iterator.context = &window;
    iterator.first = rewind;
    iterator.next = advance;
    iterator.file_size = whole_size;
    failed = yr_scanner_scan_mem_blocks(scanner_, &iterator);
  }
  if (failed != ERROR_SUCCESS) {
    throw Error("dispatch rules: libyara failed with error " + std::to_string(failed));
  }
}

std::vector<Dispatcher::Source> dispatch_sources(const std::vector<std::string>& user_files) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const auto program = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  std::vector<fs::path> files;
  for (const auto* shipped : {"../share/stoq/dispatcher.yar", "../../share/stoq/dispatcher.yar"}) {
    if (fs::exists(program / shipped)) {
      files.push_back((program / shipped).lexically_normal());
      break;
    }
  }
  if (files.empty()) files.emplace_back(STOQ_SOURCE_DISPATCHER);
  files.insert(files.end(), user_files.begin(), user_files.end());
  std::vector<Dispatcher::Source> sources;
  for (const auto& file : files) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream.is_open() || !text) {
      throw ConfigError(file.string() + ": the dispatch rules cannot be read");
    }
    sources.push_back({file.string(), text.str()});
  }
  return sources;
}

}  // namespace stoq::engine
