/// What happens to one payload: hashed, looked up among its root's, dispatched to decoders,
/// extractors and carvers whose children come back here, and shown to the workers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/plugin.hpp>

#include "engine/archived_set.hpp"
#include "engine/config.hpp"
#include "engine/entry.hpp"
#include "engine/lane.hpp"
#include "engine/memory.hpp"
#include "engine/plugin_set.hpp"
#include "engine/result_cache.hpp"
#include "engine/root_state.hpp"
#include "engine/stage.hpp"

namespace stoq::engine {

/// A payload on its way to `dispatch`.
struct Item {
  Bytes bytes;
  ChildInfo info;
  std::size_t producer = PluginSet::none;  ///< the plugin that brought it out
  bool save = false;                       ///< the rule asked for it to be archived
  bool named_after_parent = false;         ///< by its producer's child_name()
  bool has_bytes = true;
  ContentId parent = no_content;
  std::uint32_t ordinal = 0;
  std::uint32_t depth = 0;
  Status status = Status::ok;
  std::string errors;
  const support::DigestResult* digest = nullptr;  ///< of the bytes, where it is known already
  Plan* plan = nullptr;                           ///< for the bytes, where it is made already
};

/// How a call into a plugin ended.
struct Outcome {
  Status status = Status::ok;
  std::string kind, message;
};

/// Whether a plugin may be shown a payload; if not, `status` and `errors` say so.
bool is_shown(const Payload& payload, const PluginEntry& plugin, Status& status,
              std::string& errors);

class Scan {
 public:
  Scan(const Config& config, const PluginSet& plugins, Dispatcher& dispatcher, Memory& memory,
       Handover& handover, ResultCache& cache, ArchivedSet& archived);

  /// Scans a loaded root and all that comes out of it, as far as it is not sent away. `digest` and
  /// `plan`: its own, where they are made already.
  void root(Lane& lane, RootState& root, const support::DigestResult* digest = nullptr,
            Plan* plan = nullptr);
  /// Scans one payload: the body of `dispatch`.
  void payload(Lane& lane, RootState& root, Item item);
  /// Shows a payload to the workers: the body of `scan`.
  void work(Lane& lane, RootState& root, const Payload& payload, ContentId content);

  /// Calls into a plugin: the one place where its exceptions end.
  Outcome call(Lane& lane, RootState& root, std::size_t plugin, CallTimer& timer,
               std::uint64_t bytes, FunctionRef<void(const Request&)> body, const Value& args);
  /// Throws LimitReached when the run, the root or this call must end.
  void check(RootState& root, const CallTimer& timer) const;
  /// Counts what was derived against the root's limits; throws LimitReached.
  void charge_root(RootState& root, std::uint64_t bytes, std::uint64_t payloads) const;

  [[nodiscard]] const Limits& limits() const noexcept { return config_.limits; }
  [[nodiscard]] const PluginSet& plugins() const noexcept { return plugins_; }
  [[nodiscard]] Memory& memory() noexcept { return memory_; }
  [[nodiscard]] Handover& handover() noexcept { return handover_; }
  /// Whether children may be sent away while this root is scanned.
  [[nodiscard]] bool may_send(const RootState& root) const noexcept {
    return !root.canonical && handover_.hungry();
  }

 private:
  struct Claim {
    ContentId content = no_content;
    bool fresh = false;
  };
  /// Archives a payload that is to be kept. False when it could not be; `entry` then says why.
  bool archive(Lane& lane, RootState& root, const Item& item, OccurrenceEntry& entry);
  /// Gives a root the results of an equal one, if they were kept.
  bool repeat(Lane& lane, RootState& root, const support::Sha256& sha256);
  Claim claim(Lane& lane, RootState& root, const Item& item, const OccurrenceEntry& entry);
  void make_plan(Lane& lane, ByteView bytes, std::size_t producer, Plan& plan) const;
  void expand(Lane& lane, RootState& root, const Payload& payload, ContentId content,
              const Plan& plan);
  void run_call(Lane& lane, RootState& root, const Payload& payload, ContentId content,
                const PlannedCall& planned, class Expansion& expansion, ExpansionEntry& entry);
  void add_origin(const Item& item, OccurrenceEntry& entry) const;
  [[nodiscard]] std::string digests_of(const support::DigestResult& digest) const;
  [[nodiscard]] KnownDigests known_digests(const support::DigestResult& digest) const;

  const Config& config_;
  const PluginSet& plugins_;
  Dispatcher& dispatcher_;
  Memory& memory_;
  Handover& handover_;
  ResultCache& cache_;
  ArchivedSet& archived_;
  std::vector<bool> spared_;  ///< by plugin: rules treat its children apart
};

}  // namespace stoq::engine
