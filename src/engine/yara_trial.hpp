/// Tries out what a libyara does with a few rules.
#pragma once

#include <memory>
#include <string>

#include <yara.h>

namespace stoq::engine {

/// Rules with names of a letter or a word each. Between yr_initialize() and yr_finalize().
class YaraTrial {
 public:
  explicit YaraTrial(const char* rules) {
    YR_COMPILER* compiler = nullptr;
    if (yr_compiler_create(&compiler) != ERROR_SUCCESS) return;
    const std::unique_ptr<YR_COMPILER, void (*)(YR_COMPILER*)> owned(compiler, yr_compiler_destroy);
    YR_RULES* compiled = nullptr;
    if (yr_compiler_add_string(compiler, rules, nullptr) != 0 ||
        yr_compiler_get_rules(compiler, &compiled) != ERROR_SUCCESS) {
      return;
    }
    rules_.reset(compiled);
  }

  /// Null when the rules do not compile.
  [[nodiscard]] YR_RULES* rules() const noexcept { return rules_.get(); }

  /// A callback that appends the names of the rules that match to the std::string `names`.
  static int note(YR_SCAN_CONTEXT* /*context*/, int message, void* data, void* names) {
    if (message == CALLBACK_MSG_RULE_MATCHING) {
      *static_cast<std::string*>(names) += static_cast<const YR_RULE*>(data)->identifier;
    }
    return CALLBACK_CONTINUE;
  }

 private:
  std::unique_ptr<YR_RULES, int (*)(YR_RULES*)> rules_{nullptr, yr_rules_destroy};
};

}  // namespace stoq::engine
