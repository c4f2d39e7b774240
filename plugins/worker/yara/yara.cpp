/// Matches payloads against YARA rules.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <yara.h>

#include <stoq/plugin.hpp>

#include "externals.hpp"
#include "late_finder.hpp"
#include "needle_finder.hpp"
#include "partial_search.hpp"
#include "rule_files.hpp"
#include "rule_sets.hpp"

namespace {

/// From here on a payload may be a mapped file, which somebody may truncate meanwhile: libyara then
/// catches the signal. Below it is spared the cost (20 µs a scan).
constexpr std::size_t guarded_size = std::size_t{64} << 20;

/// What rules may ask of a payload, as external variables.
constexpr std::array payload_variables{"filename", "filepath", "extension",
                                       "filetype", "type",     "depth"};

struct DestroyScanner {
  void operator()(YR_SCANNER* scanner) const noexcept { ::yr_scanner_destroy(scanner); }
};
/// One thread's tools.
struct Tools {
  std::vector<std::unique_ptr<YR_SCANNER, DestroyScanner>> scanners;  ///< in the order of the sets
  std::optional<NeedleFinder::Scratch> scratch;                       ///< once there is a finder
};

struct Match {
  std::size_t order;
  stoq::Value value;
};

/// What the callback needs and leaves.
struct Scan {
  const RuleSet* set;
  const stoq::Request* request;
  std::size_t most_strings;
  std::vector<Match> matches;
  std::exception_ptr failure;
};

stoq::Value metas_of(const YR_RULE* rule) {
  stoq::Value::Array metas;
  const YR_META* meta = nullptr;
  yr_rule_metas_foreach(rule, meta) {
    stoq::Value value;
    if (meta->type == META_TYPE_STRING) {
      value = meta->string;
    } else if (meta->type == META_TYPE_BOOLEAN) {
      value = meta->integer != 0;
    } else {
      value = meta->integer;
    }
    metas.push_back({{"name", meta->identifier}, {"value", std::move(value)}});
  }
  return metas;
}

stoq::Value tags_of(const YR_RULE* rule) {
  stoq::Value::Array tags;
  const char* tag = nullptr;
  yr_rule_tags_foreach(rule, tag) tags.emplace_back(tag);
  return tags;
}

/// The first `most` places where strings of the rule are, by string; how many there are in all.
std::pair<stoq::Value, std::size_t> strings_of(YR_SCAN_CONTEXT* context, const YR_RULE* rule,
                                               std::size_t most) {
  stoq::Value::Array strings;
  std::size_t total = 0;
  const YR_STRING* string = nullptr;
  yr_rule_strings_foreach(rule, string) {
    const YR_MATCH* match = nullptr;
    yr_string_matches_foreach(context, string, match) {
      if (total++ >= most) continue;
      strings.push_back({{"id", string->identifier},
                         {"offset", match->base + match->offset},
                         {"length", match->match_length}});
    }
  }
  return {std::move(strings), total};
}

Match describe(YR_SCAN_CONTEXT* context, const Scan& scan, const YR_RULE* rule) {
  const auto index = static_cast<std::size_t>(rule - scan.set->rules->rules_table);
  auto [strings, total] = strings_of(context, rule, scan.most_strings);
  stoq::Value value{{"rule", rule->identifier},
                    {"namespace", rule->ns->name},
                    {"tags", tags_of(rule)},
                    {"meta", metas_of(rule)},
                    {"strings", std::move(strings)}};
  if (total > scan.most_strings) value.add("strings_total", total);
  return {scan.set->order[index], std::move(value)};
}

int on_message(YR_SCAN_CONTEXT* context, int message, void* data, void* user) noexcept {
  auto& scan = *static_cast<Scan*>(user);
  if (scan.request->stop_requested()) return CALLBACK_ABORT;
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
  try {
    scan.matches.push_back(describe(context, scan, static_cast<const YR_RULE*>(data)));
    return CALLBACK_CONTINUE;
  } catch (...) {  // it must not fly through C
    scan.failure = std::current_exception();
    return CALLBACK_ERROR;
  }
}

class Yara : public stoq::Worker {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return !variables_.empty(); }

  void activate(stoq::Options& options, stoq::Host& host) override {
    const auto given = options.get_list<>("rules_list", "files and folders of rules");
    auto externals = externals_of(
        options.get_dict("externals_dict", "external variables as JSON: {\"name\": value}"));
    add_externals(externals,
                  options.get_list<>("external_list", "external variables as name=value"));
    timeout_ = options.get("timeout", timeout_, "seconds after which a scan is given up; 0: never");
    most_strings_ =
        options.get("max_strings", most_strings_, "how many strings of a rule are recorded");
    if (timeout_ < 0) throw stoq::ConfigError("yara: timeout must not be negative");
    if (given.empty()) {
      throw stoq::ConfigError(
          "yara: no rules given; name files or folders of rules: --rules FILE|DIR, or rules_list "
          "in yara.stoq");
    }
    library_.emplace();
    // Nobody asks for the bytes matched, and libyara would copy up to 512 for each of a million.
    std::uint32_t no_bytes = 0;
    ::yr_set_configuration(YR_CONFIG_MAX_MATCH_DATA, &no_bytes);
    const auto files = find_rule_files(given);
    sets_ = compile(files, define_payload_variables(std::move(externals), files), host);
    finder_.emplace(sets_, host);
    (void)tools_.lease();
  }

  stoq::Value scan(const stoq::Payload& payload, const stoq::Request& request) const override {
    const auto bytes = payload.view();
    auto tools = tools_.lease();
    const bool found = find(bytes, *tools);
    Scan scan{nullptr, &request, most_strings_, {}, {}};
    std::string problems;
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      scan.set = &sets_[i];
      if (!may_match(sets_[i], bytes)) continue;
      auto* scanner = tools->scanners[i].get();
      set_payload_variables(scanner, payload);
      ::yr_scanner_set_callback(scanner, &on_message, &scan);
      const auto result =
          found ? run(scanner, bytes, windows(i, bytes, *tools)) : run(scanner, bytes, {});
      if (scan.failure) std::rethrow_exception(scan.failure);
      if (request.stop_requested()) return {};
      if (result != ERROR_SUCCESS) {
        problems = problem(result);
        tools.discard();
        break;
      }
    }
    return result_of(std::move(scan.matches), problems);
  }

 private:
  /// Those of payload_variables that the rules mention and the user has not set.
  Externals define_payload_variables(Externals externals, const std::vector<RuleFile>& files) {
    for (const std::string name : payload_variables) {
      if (externals.contains(name)) continue;
      if (name == "depth") {
        externals[name] = std::int64_t{0};
      } else {
        externals[name] = std::string{};
      }
      const auto mentions = [&](const RuleFile& file) {
        return file.compiled || file.text.find(name) != file.text.npos ||
               file.text.find("include") != file.text.npos;
      };
      if (std::any_of(files.begin(), files.end(), mentions)) variables_.push_back(name);
    }
    return externals;
  }

  [[nodiscard]] std::unique_ptr<Tools> make_tools() const {
    auto tools = std::make_unique<Tools>();
    for (const auto& set : sets_) {
      YR_SCANNER* scanner = nullptr;
      if (::yr_scanner_create(set.rules.get(), &scanner) != ERROR_SUCCESS) throw std::bad_alloc();
      tools->scanners.emplace_back(scanner);
      ::yr_scanner_set_timeout(scanner, timeout_);
    }
    return tools;
  }

  static bool may_match(const RuleSet& set, stoq::ByteView bytes) {
    const auto head = stoq::as_chars(bytes.first(std::min(bytes.size(), std::size_t{8})));
    return set.prefixes.empty() ||
           std::any_of(set.prefixes.begin(), set.prefixes.end(),
                       [&](const std::string& prefix) { return head.starts_with(prefix); });
  }

  /// A set that does not know a variable says so; that is no fault.
  void set_payload_variables(YR_SCANNER* scanner, const stoq::Payload& payload) const {
    for (const auto& name : variables_) {
      if (name == "depth") {
        ::yr_scanner_define_integer_variable(scanner, "depth", payload.depth);
        continue;
      }
      const auto base = payload.name.substr(payload.name.find_last_of("/\\") + 1);
      const auto dot = base.rfind('.');
      std::string value(payload.type);
      if (name == "filename") value = base;
      if (name == "filepath") value = payload.name;
      if (name == "extension") value = dot == base.npos || dot == 0 ? "" : base.substr(dot);
      ::yr_scanner_define_string_variable(scanner, name.c_str(), value.c_str());
    }
  }

  /// Finds where strings may be; false: libyara must see all.
  [[nodiscard]] bool find(stoq::ByteView bytes, Tools& tools) const {
    const auto* const finder = finder_->get(bytes.size());
    if (finder == nullptr) return false;
    if (!tools.scratch) tools.scratch.emplace(*finder);
    finder->find(bytes, *tools.scratch);
    return true;
  }

  /// Where the set's strings may be; nothing when libyara must see all.
  [[nodiscard]] std::optional<std::span<const Window>> windows(std::size_t set,
                                                               stoq::ByteView bytes,
                                                               const Tools& tools) const {
    const auto head = stoq::as_chars(bytes.first(std::min(bytes.size(), std::size_t{4})));
    const bool is_program = head.starts_with("MZ") || head ==
                                                          "\x7f"
                                                          "ELF";
    if (is_program && sets_[set].asks_entry_point) return std::nullopt;
    const auto& found = tools.scratch->windows(set);
    if (found.size() == 1 && found[0] == Window{0, bytes.size()}) return std::nullopt;
    return found;
  }

  static int run(YR_SCANNER* scanner, stoq::ByteView bytes,
                 std::optional<std::span<const Window>> windows) {
    const int flags = SCAN_FLAGS_REPORT_RULES_MATCHING |
                      (bytes.size() < guarded_size ? SCAN_FLAGS_NO_TRYCATCH : 0);
    if (windows) return search_windows(scanner, bytes, *windows, flags);
    constexpr std::uint8_t nothing = 0;
    const auto* data =
        bytes.empty() ? &nothing : reinterpret_cast<const std::uint8_t*>(bytes.data());
    // libyara keeps that of the program before.
    scanner->entry_point = YR_UNDEFINED;
    ::yr_scanner_set_flags(scanner, flags);
    return ::yr_scanner_scan_mem(scanner, data, bytes.size());
  }

  [[nodiscard]] std::string problem(int error) const {
    switch (error) {
      case ERROR_SCAN_TIMEOUT:
        return "scan given up after " + std::to_string(timeout_) + " s (option timeout)";
      case ERROR_INSUFFICIENT_MEMORY:
        return "libyara ran out of memory";
      case ERROR_COULD_NOT_MAP_FILE:
        return "the file became unreadable during the scan";
      default:
        return "libyara failed with error " + std::to_string(error);
    }
  }

  /// The matches in the order of the rules; null when there is nothing to tell.
  static stoq::Value result_of(std::vector<Match> matches, const std::string& problems) {
    std::sort(matches.begin(), matches.end(),
              [](const Match& a, const Match& b) { return a.order < b.order; });
    stoq::Value result;
    if (!matches.empty()) {
      stoq::Value::Array list;
      list.reserve(matches.size());
      for (auto& match : matches) list.push_back(std::move(match.value));
      result.add("matches", std::move(list));
    }
    if (!problems.empty()) result.add("error", problems);
    return result;
  }

  int timeout_ = 60;
  std::size_t most_strings_ = 32;
  std::vector<std::string> variables_;
  // In this order: tools go before the finder and the rules, rules before the library.
  std::optional<YaraLibrary> library_;
  std::vector<RuleSet> sets_;
  mutable std::optional<LateFinder> finder_;
  stoq::PerThread<Tools> tools_{[this] { return make_tools(); }};
};

}  // namespace

STOQ_PLUGIN(Yara)
