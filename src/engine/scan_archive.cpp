#include <string>

#include "engine/scan.hpp"
#include "support/digest.hpp"

namespace stoq::engine {

bool Scan::archive(Lane& lane, RootState& root, const Item& item, OccurrenceEntry& entry) {
  const bool is_root = item.producer == PluginSet::none;
  if (plugins_.archiver == PluginSet::none || !item.has_bytes || !(is_root || item.save)) {
    return true;
  }
  const auto& plugin = plugins_.plugins[plugins_.archiver];
  const Payload payload{item.bytes, item.info.name, {}, item.depth, root.tlp()};
  if (!is_shown(payload, plugin, entry.status, entry.errors)) return true;
  ArchivedSet::Turn turn(archived_, entry.sha256);
  if (!turn.is_ours()) return true;
  std::string hex;
  support::append_hex(hex, entry.sha256);
  const ArchiveInfo info{hex, root.root.path,
                         is_root ? std::string_view() : plugins_.plugins[item.producer].qualified};
  auto& counters = lane.counters[plugins_.archiver];
  CallTimer timer;
  const auto outcome = call(
      lane, root, plugins_.archiver, timer, payload.bytes.size(),
      [&](const Request&) {
        const bool is_new = static_cast<const Connector*>(plugin.plugin)->archive(payload, info);
        turn.done();
        (is_new ? counters.kept : counters.had) += 1;
        counters.out += is_new ? payload.bytes.size() : 0;
      },
      Value());
  // Slow is not lost: what took longer than plugin_timeout is there all the same.
  if (turn.is_done()) return true;
  // The worst there is: results that say so are not repeated for equal roots.
  entry.status = Status::io_error;
  append_error(entry.errors, plugin.qualified, outcome.kind, "not archived: " + outcome.message);
  return false;
}

}  // namespace stoq::engine
