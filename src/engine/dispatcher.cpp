#include "engine/dispatcher.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <sstream>
#include <system_error>

#include <yara.h>

#include <stoq/error.hpp>

#include "engine/plugin_registry.hpp"
#include "engine/rule_condition.hpp"
#include "engine/rule_strings.hpp"
#include "engine/string_filter.hpp"
#include "engine/yara_scan.hpp"
#include "engine/yara_trial.hpp"
#include "support/json.hpp"

namespace stoq::engine {
namespace {

// Our bytes, not somebody's mapping that may shrink: no signal handlers, which cost 20 µs a scan.
constexpr int scan_flags = SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING;

/// libyara looks for a program's entry point in what it searches, so it must search all. What a
/// source includes is not known here.
bool may_ask_for_entry_point(std::string_view text) {
  return text.find("entrypoint") != text.npos || text.find("include") != text.npos;
}

struct CompileErrors {
  const Dispatcher::Source& source;
  std::string text;
};

void on_compile_error(int level, const char* /*file*/, int line, const YR_RULE* /*rule*/,
                      const char* message, void* context) {
  if (level != YARA_ERROR_LEVEL_ERROR) return;
  auto& errors = *static_cast<CompileErrors*>(context);
  if (!errors.text.empty()) errors.text += '\n';
  errors.text += errors.source.origin + ":" + std::to_string(line) + ": " + message;
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
  std::span<const DispatchRule> rules;  ///< the set's
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

/// Plans what a rule that hits asks for; `offset` as in PlannedCall.
void plan(const DispatchRule& rule, std::int64_t offset, std::string_view producer, Plan& plan) {
  if (std::find(rule.not_from.begin(), rule.not_from.end(), producer) != rule.not_from.end())
    return;
  if (plan.type.empty()) plan.type = rule.type;
  for (const auto& target : rule.targets) {
    const auto planned =
        std::any_of(plan.calls.begin(), plan.calls.end(),
                    [&](const PlannedCall& call) { return call.target->key == target.key; });
    if (!planned) plan.calls.push_back({&rule, &target, offset});
  }
}

int on_match(YR_SCAN_CONTEXT* context, int message, void* data, void* user) {
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
  auto& state = *static_cast<ScanState*>(user);
  auto* rule = static_cast<YR_RULE*>(data);
  plan(state.rules[static_cast<std::size_t>(rule - state.compiled->rules_table)],
       first_offset(context, rule), state.producer, state.plan);
  return CALLBACK_CONTINUE;
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

/// One source's rules, compiled.
struct Dispatcher::RuleSet {
  RuleSet() = default;
  ~RuleSet() {
    if (compiled != nullptr) yr_rules_destroy(compiled);
  }
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  YR_RULES* compiled = nullptr;
  std::size_t first_rule = 0, count = 0;
  std::size_t strings = 0;
};

/// What spares libyara work on a source, as far as its text is understood.
struct Dispatcher::Shortcuts {
  bool in_parts = false;  ///< libyara may search less than all
  std::size_t strings = 0;
  std::unique_ptr<StringFilter> filter;  ///< of these strings
  /// Of each rule where no string is found; nothing when libyara must tell.
  std::optional<std::vector<Condition>> conditions;

  [[nodiscard]] static std::vector<Shortcuts> of(const std::vector<std::string>& texts) {
    const auto trial = try_yara();
    std::vector<Shortcuts> all;
    for (const auto& text : texts) {
      auto& one = all.emplace_back();
      one.in_parts = trial.searches_parts && !may_ask_for_entry_point(text);
      if (trial.agrees_on_conditions) one.conditions = rule_conditions(text);
      if (const auto strings = rule_strings(text)) {
        one.strings = strings->size();
        one.filter = StringFilter::make(*strings);
      }
    }
    return all;
  }
};

/// One thread's scanner of one set.
struct Dispatcher::Scanner::SetScanner {
  // What libyara counts otherwise than we do was read otherwise (an include, say).
  SetScanner(const RuleSet& rules, const Shortcuts& shortcuts)
      : set(rules),
        filter(shortcuts.strings == set.strings ? shortcuts.filter.get() : nullptr),
        in_parts(shortcuts.in_parts) {
    if (shortcuts.conditions && shortcuts.conditions->size() == set.count)
      conditions = &*shortcuts.conditions;
    if (yr_scanner_create(rules.compiled, &scanner) != ERROR_SUCCESS) {
      throw Error("libyara has no memory for a scanner");
    }
    yr_scanner_set_flags(scanner, scan_flags);
    if (filter != nullptr) scratch.emplace(*filter);
  }
  ~SetScanner() { yr_scanner_destroy(scanner); }
  SetScanner(const SetScanner&) = delete;
  SetScanner& operator=(const SetScanner&) = delete;

  [[nodiscard]] int scan(ByteView bytes, ScanState& state) {
    const auto readable = readable_parts(bytes.size());
    const bool told = find(bytes, readable.view());
    if (told && parts.empty() && conditions != nullptr) {
      for (std::size_t i = 0; i < state.rules.size(); ++i) {
        if ((*conditions)[i].holds(bytes, readable.view())) {
          plan(state.rules[i], -1, state.producer, state.plan);
        }
      }
      return ERROR_SUCCESS;
    }
    yr_scanner_set_callback(scanner, on_match, &state);
    return yara_scan(scanner, bytes, told && in_parts ? parts : readable.view(), readable.view());
  }

  /// Fills `parts` with where strings may stand; false when that is not known.
  [[nodiscard]] bool find(ByteView bytes, std::span<const Part> readable) {
    parts.clear();
    if (set.strings == 0) return true;
    return filter != nullptr && std::all_of(readable.begin(), readable.end(), [&](Part part) {
             return filter->find(bytes, part, *scratch, parts);
           });
  }

  const RuleSet& set;
  const StringFilter* filter;  ///< null: libyara must search every payload
  bool in_parts;
  const std::vector<Condition>* conditions = nullptr;
  YR_SCANNER* scanner = nullptr;
  std::optional<StringFilter::Scratch> scratch;
  std::vector<Part> parts;
};

Dispatcher::Dispatcher(const std::vector<Source>& sources) {
  if (yr_initialize() != ERROR_SUCCESS) throw Error("libyara does not start");
  try {
    std::vector<std::string> texts;
    for (const auto& source : sources) texts.push_back(source.text);
    // A third of what a short run takes: the plugins that rules name are loaded meanwhile.
    shortcuts_ =
        std::async(std::launch::async, [texts = std::move(texts)] { return Shortcuts::of(texts); });
    for (const auto& source : sources) sets_.push_back(compile(source));
  } catch (...) {
    end();
    throw;
  }
}

Dispatcher::~Dispatcher() { end(); }

void Dispatcher::end() noexcept {
  if (shortcuts_.valid()) shortcuts_.wait();
  sets_.clear();
  yr_finalize();
}

std::unique_ptr<Dispatcher::RuleSet> Dispatcher::compile(const Source& source) {
  YR_COMPILER* raw = nullptr;
  if (yr_compiler_create(&raw) != ERROR_SUCCESS)
    throw Error("libyara has no memory for a compiler");
  const std::unique_ptr<YR_COMPILER, void (*)(YR_COMPILER*)> compiler(raw, yr_compiler_destroy);
  CompileErrors errors{source, {}};
  yr_compiler_set_callback(raw, on_compile_error, &errors);
  if (yr_compiler_add_string(raw, source.text.c_str(), nullptr) > 0) {
    throw ConfigError("dispatch rules do not compile:\n" + errors.text);
  }
  auto set = std::make_unique<RuleSet>();
  if (yr_compiler_get_rules(raw, &set->compiled) != ERROR_SUCCESS) {
    throw Error("libyara has no memory for the dispatch rules");
  }
  set->first_rule = rules_.size();
  YR_RULE* rule = nullptr;
  yr_rules_foreach(set->compiled, rule) {
    rules_.push_back(read_rule(rule));
    YR_STRING* string = nullptr;
    yr_rule_strings_foreach(rule, string) set->strings += string->chained_to == nullptr ? 1 : 0;
  }
  set->count = rules_.size() - set->first_rule;
  return set;
}

bool Dispatcher::spares(std::string_view producer) const noexcept {
  return std::any_of(rules_.begin(), rules_.end(), [&](const DispatchRule& rule) {
    return std::find(rule.not_from.begin(), rule.not_from.end(), producer) != rule.not_from.end();
  });
}

Dispatcher::Scanner::Scanner(const Dispatcher& dispatcher) : dispatcher_(dispatcher) {
  const auto& shortcuts = dispatcher.shortcuts_.get();
  for (std::size_t i = 0; i < dispatcher.sets_.size(); ++i) {
    scanners_.push_back(std::make_unique<SetScanner>(*dispatcher.sets_[i], shortcuts[i]));
  }
}

Dispatcher::Scanner::~Scanner() = default;

void Dispatcher::Scanner::scan(ByteView bytes, std::string_view producer, Plan& plan) {
  plan.clear();
  if (bytes.empty()) return;
  for (const auto& scanner : scanners_) {
    const auto& set = scanner->set;
    ScanState state{std::span(dispatcher_.rules_).subspan(set.first_rule, set.count), producer,
                    set.compiled, plan};
    if (const auto failed = scanner->scan(bytes, state); failed != ERROR_SUCCESS) {
      throw Error("dispatch rules: libyara failed with error " + std::to_string(failed));
    }
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
