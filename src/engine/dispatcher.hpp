/// Decides which plugin sees which payload, by YARA rules in the seed's semantics: a rule with
/// `meta: plugin = "category:name[, …]"` sends what it hits to those plugins; `save` marks their
/// children; `type` names the payload; `not_from = "category:name, …"` spares children of those
/// plugins, which stops loops; every other meta is an argument of the call.
#pragma once

#include <cstddef>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/bytes.hpp>
#include <stoq/value.hpp>

namespace stoq::engine {

/// One call that a rule asks for.
struct DispatchTarget {
  std::string plugin;     ///< "extractor:zip"
  std::size_t index = 0;  ///< resolved by whoever runs it
  std::string key;        ///< equal keys are the same call: made once a payload
};

struct DispatchRule {
  std::string name, type;
  bool save = false;
  std::vector<DispatchTarget> targets;
  std::vector<std::string> not_from;  ///< producers whose children it spares
  Value args;
};

/// One planned call on one payload.
struct PlannedCall {
  const DispatchRule* rule = nullptr;
  const DispatchTarget* target = nullptr;
  std::int64_t offset = -1;  ///< of the first match of the rule's first string; -1: none
};

/// What the rules say of one payload.
struct Plan {
  static constexpr std::size_t usual = 6;  ///< calls
  std::string_view type;
  std::vector<PlannedCall> calls;
  void clear() {
    type = {};
    calls.clear();
  }
};

class Dispatcher {
 public:
  /// One rule file: where it came from, and its text.
  struct Source {
    std::string origin, text;
  };
  /// Compiles; earlier sources come first in every plan. What makes scanners fast is made on
  /// another thread meanwhile, and waited for by the first of them. Throws ConfigError with file,
  /// line, reason.
  explicit Dispatcher(const std::vector<Source>& sources);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// A thread's own scanner.
  class Scanner {
   public:
    explicit Scanner(const Dispatcher& dispatcher);
    ~Scanner();
    Scanner(const Scanner&) = delete;
    Scanner& operator=(const Scanner&) = delete;
    /// Fills `plan`, in rule order. Above 64 MiB only the first 16 MiB and the last 64 KiB are
    /// looked at. Throws Error when libyara fails.
    void scan(ByteView bytes, std::string_view producer, Plan& plan);

   private:
    struct SetScanner;
    const Dispatcher& dispatcher_;
    std::vector<std::unique_ptr<SetScanner>> scanners_;
  };

  [[nodiscard]] std::vector<DispatchRule>& rules() noexcept { return rules_; }
  [[nodiscard]] const std::vector<DispatchRule>& rules() const noexcept { return rules_; }
  /// Whether any rule spares children of this producer, so that equal bytes from it may be treated
  /// otherwise than from elsewhere.
  [[nodiscard]] bool spares(std::string_view producer) const noexcept;

 private:
  struct RuleSet;
  struct Shortcuts;
  /// Compiles a source and appends its rules to `rules_`.
  std::unique_ptr<RuleSet> compile(const Source& source);
  void end() noexcept;

  std::vector<std::unique_ptr<RuleSet>> sets_;  // one a source: only its strings are searched for
  std::shared_future<std::vector<Shortcuts>> shortcuts_;  // by set
  std::vector<DispatchRule> rules_;  // by set, in the order in which libyara holds them
};

/// The shipped dispatcher.yar of this build or installation, then the user's files. Throws
/// ConfigError when one cannot be read.
[[nodiscard]] std::vector<Dispatcher::Source> dispatch_sources(
    const std::vector<std::string>& user_files);

}  // namespace stoq::engine
