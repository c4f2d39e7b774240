#include "engine/scan.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/findings.hpp"
#include "engine/sink.hpp"
#include "support/json.hpp"

namespace stoq::engine {
namespace {

// From here on a payload's workers are worth a message of their own.
constexpr std::size_t large_payload = std::size_t{256} << 10;
constexpr std::size_t usual_origin = 120;
constexpr std::size_t usual_name = 24;  // of a plugin, quoted
// Room for an entry that is kept from payload to payload.
constexpr std::size_t most_packed_room = std::size_t{64} << 10;

/// Workers of a large payload, on a thread of their own while this one expands it.
class WorkersJob final : public Job {
 public:
  WorkersJob(Scan& scan, RootState& owner, Payload payload, ContentId content)
      : Job(owner), scan_(scan), payload_(std::move(payload)), content_(content) {}
  void run(Lane& lane) override {
    const PayloadSpell part(lane.account.get(), root, content_, PayloadSpell::Part{});
    scan_.work(lane, root, payload_, content_);
  }

 private:
  Scan& scan_;
  Payload payload_;
  ContentId content_;
};

}  // namespace

bool is_shown(const Payload& payload, const PluginEntry& plugin, Status& status,
              std::string& errors) {
  if (payload.tlp <= plugin.max_tlp) return true;
  status = worst(status, Status::partial);
  append_error(errors, plugin.qualified, "max_tlp",
               "not shown to it: TLP " + std::string(to_string(payload.tlp)) + ", its max_tlp is " +
                   std::string(to_string(plugin.max_tlp)));
  return false;
}

Scan::Scan(const Config& config, const PluginSet& plugins, Dispatcher& dispatcher, Memory& memory,
           Handover& handover, ResultCache& cache, ArchivedSet& archived)
    : config_(config),
      plugins_(plugins),
      dispatcher_(dispatcher),
      memory_(memory),
      handover_(handover),
      cache_(cache),
      archived_(archived) {
  for (const auto& plugin : plugins.plugins) spared_.push_back(dispatcher.spares(plugin.qualified));
}

void Scan::add_origin(const Item& item, OccurrenceEntry& entry) const {
  auto& origin = entry.origin;
  origin.reserve(usual_origin);
  support::JsonObject object(origin);
  const auto& plugin = plugins_.plugins[item.producer];
  object.text("category", to_string(plugin.category));
  object.text("plugin", plugin.name);
  entry.member_at = origin.size();
  if (item.info.offset) object.number("offset", *item.info.offset);
  if (item.info.encrypted) object.flag("encrypted", true);
  if (item.save) object.flag("save", true);
  if (!item.info.meta.is_null()) support::append_json(object.key("meta"), item.info.meta);
}

std::string Scan::digests_of(const support::DigestResult& digest) const {
  std::string members;
  members.reserve(2 * sizeof digest + 64);
  const auto add = [&](std::string_view name, ByteView bytes) {
    if (!members.empty()) members += ',';
    ((members += '"') += name) += "\":\"";
    support::append_hex(members, bytes);
    members += '"';
  };
  if (config_.digests.md5) add("md5", digest.md5);
  if (config_.digests.sha1) add("sha1", digest.sha1);
  add("sha256", digest.sha256);
  if (config_.digests.sha512) add("sha512", digest.sha512);
  return members;
}

KnownDigests Scan::known_digests(const support::DigestResult& digest) const {
  KnownDigests known;
  known.sha256 = digest.sha256;
  if (config_.digests.md5) known.md5 = digest.md5;
  if (config_.digests.sha1) known.sha1 = digest.sha1;
  if (config_.digests.sha512) known.sha512 = digest.sha512;
  return known;
}

bool Scan::repeat(Lane& lane, RootState& root, const support::Sha256& sha256) {
  root.sha256 = sha256;
  root.size = root.bytes.size();
  auto known = cache_.find({sha256, root.tlp()}, root.name(), root.root.meta);
  if (!known) return false;
  // The root itself is counted already.
  lane.payloads.fetch_add(known->occurrences.size() - 1, std::memory_order_relaxed);
  root.results = std::move(known);
  root.repeats = true;
  return true;
}

Scan::Claim Scan::claim(Lane& lane, RootState& root, const Item& item,
                        const OccurrenceEntry& entry) {
  pack(lane.packed, entry);
  ContentKey key;
  std::copy_n(entry.sha256.begin(), key.digest.size(), key.digest.begin());
  if (item.producer != PluginSet::none && spared_[item.producer]) {
    key.producer = static_cast<std::uint32_t>(item.producer + 1);
  }
  const std::lock_guard lock(root.mutex);
  Claim result;
  if (item.has_bytes) {
    const auto next = static_cast<ContentId>(root.results->contents.size());
    result.content = root.claims.claim(key, next);
    result.fresh = result.content == next;
    if (result.fresh) {
      Content content;
      content.claimed_by = static_cast<std::uint32_t>(root.results->occurrences.size());
      content.depth = static_cast<std::uint16_t>(item.depth);
      root.results->contents.push_back(content);
    }
  }
  root.results->occurrences.push_back({item.parent, item.ordinal, result.content, item.status,
                                       root.results->spool.append(lane.packed)});
  return result;
}

void Scan::root(Lane& lane, RootState& root, const support::DigestResult* digest, Plan* plan) {
  Item item;
  item.digest = digest;
  item.plan = plan;
  item.bytes = root.bytes;
  item.info.name = root.name();
  payload(lane, root, std::move(item));
}

void Scan::payload(Lane& lane, RootState& root, Item item) {
  if (handover_.interrupted()) {
    root.fail(Status::partial, "interrupted", "the run was interrupted before all was scanned");
    return;
  }
  if (root.redo.load(std::memory_order_relaxed)) return;
  try {
    const PayloadSpell account(lane.account.get(), root, item.bytes.size());
    const Spell spell(lane.account.get(), Activity::dispatch);
    lane.payloads.fetch_add(1, std::memory_order_relaxed);
    lane.bytes.fetch_add(item.bytes.size(), std::memory_order_relaxed);
    OccurrenceEntry entry;
    entry.name = item.info.name;
    if (item.named_after_parent) entry.named_by = item.producer + 1;
    if (item.producer != PluginSet::none) add_origin(item, entry);
    entry.status = item.status;
    entry.errors = std::move(item.errors);
    entry.size = item.bytes.size();
    KnownDigests digests;
    if (item.has_bytes) {
      const auto digest = [&] {
        if (item.digest != nullptr) return *item.digest;
        const Spell hashing(lane.account.get(), Activity::hash);
        return lane.digester.digest(item.bytes.view());
      }();
      digests = known_digests(digest);
      entry.sha256 = digest.sha256;
      entry.digests = digests_of(digest);
    }
    // An equal root's results do not say that this one could not be archived.
    const bool archived = archive(lane, root, item, entry);
    if (archived && item.producer == PluginSet::none && repeat(lane, root, entry.sha256)) return;
    const auto claimed = claim(lane, root, item, entry);
    if (lane.account) lane.account->claimed(claimed.content, claimed.fresh);
    if (!claimed.fresh) return;
    Payload payload{
        std::move(item.bytes), std::move(item.info.name), {}, item.depth, root.tlp(), digests};
    Plan plan;
    if (item.plan != nullptr) {
      plan = std::move(*item.plan);
    } else {
      make_plan(lane, payload.view(), item.producer, plan);
    }
    payload.type = plan.type;
    if (lane.account) lane.account->typed(plan.type, false);
    const bool apart = !plan.calls.empty() && !plugins_.workers.empty() &&
                       payload.bytes.size() >= large_payload && may_send(root);
    if (apart) {
      if (lane.account) lane.account->parted();
      handover_.send(Stage::dispatch, Stage::scan,
                     std::make_shared<WorkersJob>(*this, root, payload, claimed.content));
    }
    expand(lane, root, payload, claimed.content, plan);
    if (!apart && !plugins_.workers.empty()) {
      handover_.note_inline(Stage::dispatch, Stage::scan, 1);
      work(lane, root, payload, claimed.content);
    }
  } catch (const std::bad_alloc&) {
    root.fail(Status::out_of_memory, "out_of_memory", "memory for its records could not be had");
  } catch (const IoError& error) {
    root.fail(Status::io_error, "io_error", error.what());
  } catch (const std::exception& error) {
    root.fail(Status::crash, "dispatch", error.what());
  }
}

void Scan::make_plan(Lane& lane, ByteView bytes, std::size_t producer, Plan& plan) const {
  plan.calls.reserve(Plan::usual);
  const Spell matching(lane.account.get(), Activity::rules);
  const std::string_view name =
      producer == PluginSet::none ? std::string_view() : plugins_.plugins[producer].qualified;
  lane.scanner.scan(bytes, name, plan);
}

void Scan::expand(Lane& lane, RootState& root, const Payload& payload, ContentId content,
                  const Plan& plan) {
  ExpansionEntry entry;
  entry.type = plan.type;
  entry.dispatch.reserve(usual_name * plan.calls.size());
  for (const auto& call : plan.calls) {
    if (!entry.dispatch.empty()) entry.dispatch += ',';
    support::append_json_string(entry.dispatch, call.target->plugin);
  }
  std::optional<Expansion> expansion;
  const char* cut = root.cut.load(std::memory_order_relaxed);
  if (!plan.calls.empty() && payload.depth >= config_.limits.max_depth) {
    entry.status = Status::limit;
    append_error(entry.errors, "", "depth", "not opened: max_depth is reached");
  } else if (!plan.calls.empty() && cut != nullptr) {
    entry.status = Status::limit;
    append_error(entry.errors, "", cut, "not opened: the root's limit is spent");
  } else if (!plan.calls.empty()) {
    expansion.emplace(config_.limits, payload.bytes.size());
    for (const auto& call : plan.calls) {
      run_call(lane, root, payload, content, call, *expansion, entry);
    }
  }
  pack(lane.packed, entry);
  const bool counted =
      expansion && (expansion->counts.declared != 0 || !expansion->counts.dropped.empty());
  const std::lock_guard lock(root.mutex);
  auto& known = root.results->contents[content];
  known.expandable = !plan.calls.empty();
  known.reads_name =
      std::any_of(plan.calls.begin(), plan.calls.end(), [&](const PlannedCall& call) {
        return plugins_.plugins[call.target->index].plugin->reads_name();
      });
  if (known.expandable || !entry.type.empty())
    known.expansion = root.results->spool.append(lane.packed);
  if (!counted) return;
  expansion->counts.previous = known.counts;
  pack(lane.packed, expansion->counts);
  known.counts = root.results->spool.append(lane.packed);
}

void Scan::run_call(Lane& lane, RootState& root, const Payload& payload, ContentId content,
                    const PlannedCall& planned, Expansion& expansion, ExpansionEntry& entry) {
  const auto number = planned.target->index;
  const auto& plugin = plugins_.plugins[number];
  if (!is_shown(payload, plugin, entry.status, entry.errors)) return;
  const Value* args = &planned.rule->args;
  Value with_offset;
  if (planned.offset >= 0) {
    with_offset = *args;
    with_offset.add("offset", planned.offset);
    args = &with_offset;
  }
  handover_.note_inline(Stage::dispatch, stage_of(plugin.category), 1);
  const Spell spell(lane.account.get(), activity_of(plugin.category));
  CallTimer timer;
  Sink sink(*this, lane, root, {number, planned.rule->save, content, payload.depth, payload.name},
            timer, expansion, payload.bytes);
  const auto outcome = call(
      lane, root, number, timer, payload.bytes.size(),
      [&](const Request& request) {
        switch (plugin.category) {
          case Category::decoder:
            return static_cast<const Decoder*>(plugin.plugin)->decode(payload, request, sink);
          case Category::extractor:
            return static_cast<const Extractor*>(plugin.plugin)->extract(payload, request, sink);
          default:
            return static_cast<const Carver*>(plugin.plugin)->carve(payload, request, sink);
        }
      },
      *args);
  sink.finish(outcome.kind);
  if (outcome.status == Status::ok || outcome.kind == "redo") return;
  if (outcome.kind == "interrupted") {
    root.fail(Status::partial, "interrupted", "the run was interrupted before all was scanned");
  }
  entry.status = worst(entry.status, outcome.status);
  append_error(entry.errors, plugin.qualified, outcome.kind, outcome.message);
}

void Scan::work(Lane& lane, RootState& root, const Payload& payload, ContentId content) {
  const Spell spell(lane.account.get(), Activity::scan);
  const auto began = Clock::now();
  const Value no_args;
  WorkersEntry entry;
  entry.label = payload.type;
  for (const auto number : plugins_.workers) {
    const auto& plugin = plugins_.plugins[number];
    if (!plugin.types.empty() &&
        std::find(plugin.types.begin(), plugin.types.end(), payload.type) == plugin.types.end()) {
      continue;
    }
    if (payload.bytes.size() > plugin.max_size) {
      entry.status = worst(entry.status, Status::partial);
      append_error(entry.errors, plugin.qualified, "max_size",
                   "not shown to it: larger than its max_size of " +
                       std::to_string(plugin.max_size) + " bytes");
      continue;
    }
    if (!is_shown(payload, plugin, entry.status, entry.errors)) continue;
    CallTimer timer;
    Value found;
    const auto outcome = call(
        lane, root, number, timer, payload.bytes.size(),
        [&](const Request& request) {
          found = static_cast<const Worker*>(plugin.plugin)->scan(payload, request);
        },
        no_args);
    if (outcome.status != Status::ok) {
      entry.status = worst(entry.status, outcome.status);
      append_error(entry.errors, plugin.qualified, outcome.kind, outcome.message);
    }
    lane.counters[number].out += add_findings(entry, plugin, found);
  }
  if (lane.account) lane.account->typed(entry.label, true);
  entry.nanoseconds = static_cast<std::uint64_t>((Clock::now() - began).count());
  pack(lane.packed, entry);
  const std::lock_guard lock(root.mutex);
  root.results->contents[content].workers = root.results->spool.append(lane.packed);
  if (lane.packed.capacity() > most_packed_room) lane.packed = {};
}

}  // namespace stoq::engine
