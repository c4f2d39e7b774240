#include "yara_rules.hpp"

#include <algorithm>
#include <charconv>
#include <new>
#include <string_view>

namespace stix {
namespace {

void keep_error(int level, const char* /*file*/, int line, const YR_RULE* /*rule*/,
                const char* message, void* context) {
  auto& error = *static_cast<std::string*>(context);
  if (level != YARA_ERROR_LEVEL_ERROR || !error.empty()) return;
  error = "line " + std::to_string(line) + ": " + message;
}

std::optional<std::uint64_t> first_offset(YR_SCAN_CONTEXT* context, YR_RULE* rule) {
  std::optional<std::uint64_t> first;
  YR_STRING* string = nullptr;
  yr_rule_strings_foreach(rule, string) {
    YR_MATCH* match = nullptr;
    yr_string_matches_foreach(context, string, match) {
      const auto at = static_cast<std::uint64_t>(match->base + match->offset);
      first = std::min(first.value_or(at), at);
    }
  }
  return first;
}

/// Collects hits. Nothing may be thrown through libyara.
struct Collected {
  std::vector<YaraHit> hits;
  bool out_of_memory = false;
};

int on_message(YR_SCAN_CONTEXT* context, int message, void* data, void* user) noexcept {
  if (message != CALLBACK_MSG_RULE_MATCHING) return CALLBACK_CONTINUE;
  auto& collected = *static_cast<Collected*>(user);
  auto* const rule = static_cast<YR_RULE*>(data);
  try {
    YaraHit hit;
    const std::string_view name = rule->ns->name;
    std::from_chars(name.data(), name.data() + name.size(), hit.indicator);
    hit.rule = rule->identifier;
    hit.offset = first_offset(context, rule);
    collected.hits.push_back(std::move(hit));
  } catch (const std::bad_alloc&) {
    collected.out_of_memory = true;
    return CALLBACK_ABORT;
  }
  return CALLBACK_CONTINUE;
}

void check(int code) {
  if (code == ERROR_SUCCESS) return;
  if (code == ERROR_SCAN_TIMEOUT) throw stoq::LimitReached{"plugin_timeout"};
  if (code == ERROR_INSUFFICIENT_MEMORY) throw std::bad_alloc();
  throw stoq::Error("libyara fails with error " + std::to_string(code));
}

}  // namespace

YaraRules::YaraRules() {
  if (::yr_initialize() != ERROR_SUCCESS) throw stoq::Error("libyara does not start");
}

YaraRules::~YaraRules() {
  rules_.reset();
  compiler_.reset();
  ::yr_finalize();
}

std::unique_ptr<YR_COMPILER, YaraRules::Closer> YaraRules::compiler() {
  YR_COMPILER* made = nullptr;
  check(::yr_compiler_create(&made));
  // An indicator comes from outside: it may not name files of ours.
  ::yr_compiler_set_include_callback(made, nullptr, nullptr, nullptr);
  return std::unique_ptr<YR_COMPILER, Closer>(made);
}

std::string YaraRules::add(const std::string& text, std::uint32_t indicator) {
  // A compiler that met an error is of no further use: try alone first.
  std::string error;
  const auto trial = compiler();
  ::yr_compiler_set_callback(trial.get(), keep_error, &error);
  if (::yr_compiler_add_string(trial.get(), text.c_str(), nullptr) != 0) {
    return error.empty() ? "it does not compile" : error;
  }
  if (compiler_ == nullptr) compiler_ = compiler();
  const auto name = std::to_string(indicator);
  if (::yr_compiler_add_string(compiler_.get(), text.c_str(), name.c_str()) != 0) {
    throw stoq::ConfigError("YARA rules of indicators are too many");
  }
  ++count_;
  return {};
}

void YaraRules::finish() {
  if (compiler_ == nullptr) return;
  YR_RULES* made = nullptr;
  check(::yr_compiler_get_rules(compiler_.get(), &made));
  rules_.reset(made);
  compiler_.reset();
}

std::vector<YaraHit> YaraRules::scan(stoq::ByteView bytes, int seconds) const {
  if (rules_ == nullptr) return {};
  Collected collected;
  const int code = ::yr_rules_scan_mem(
      rules_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
      SCAN_FLAGS_REPORT_RULES_MATCHING, on_message, &collected, seconds);
  if (collected.out_of_memory) throw std::bad_alloc();
  check(code);
  std::stable_sort(collected.hits.begin(), collected.hits.end(),
                   [](const YaraHit& a, const YaraHit& b) { return a.indicator < b.indicator; });
  return std::move(collected.hits);
}

}  // namespace stix
