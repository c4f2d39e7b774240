#include "fakes.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "engine/dispatcher.hpp"
#include "engine/stage.hpp"

namespace stoq::fakes {
namespace {

void put_number(std::string& out, std::size_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xff);
}

struct FakeDecoder final : Decoder {
  FakeDecoder(Expand given, bool by_name) : body(std::move(given)), names(by_name) {}
  void decode(const Payload& payload, const Request& request, Children& children) const override {
    body(payload, request, children);
  }
  bool reads_name() const noexcept override { return names; }
  std::string child_name(std::string_view payload_name) const override {
    constexpr std::string_view suffix = ".inv";
    if (!payload_name.ends_with(suffix)) return {};
    return std::string(payload_name.substr(0, payload_name.size() - suffix.size()));
  }
  Expand body;
  bool names;
};
struct FakeExtractor final : Extractor {
  FakeExtractor(Expand given, bool by_name) : body(std::move(given)), names(by_name) {}
  void extract(const Payload& payload, const Request& request, Children& children) const override {
    body(payload, request, children);
  }
  bool reads_name() const noexcept override { return names; }
  Expand body;
  bool names;
};
struct FakeCarver final : Carver {
  FakeCarver(Expand given, bool by_name) : body(std::move(given)), names(by_name) {}
  void carve(const Payload& payload, const Request& request, Children& children) const override {
    body(payload, request, children);
  }
  bool reads_name() const noexcept override { return names; }
  Expand body;
  bool names;
};
struct FakeWorker final : Worker {
  FakeWorker(Look given, bool by_name) : body(std::move(given)), names(by_name) {}
  Value scan(const Payload& payload, const Request& request) const override {
    return body(payload, request);
  }
  bool reads_name() const noexcept override { return names; }
  Look body;
  bool names;
};

void open_by_emit(const Payload& payload, const Request&, Children& children) {
  const auto members = read_box(payload.view());
  children.declare(members.size());
  for (const auto& member : members) {
    children.emit(payload.bytes.slice(member.offset, member.size),
                  {.name = std::string(member.name), .offset = member.offset});
  }
}

void open_by_produce(const Payload& payload, const Request&, Children& children) {
  for (const auto& member : read_box(payload.view())) {
    children.produce({.name = std::string(member.name)}, member.size, [&](Buffer& buffer) {
      buffer.append(slice(payload.view(), member.offset, member.size));
    });
  }
}

void open_by_each(const Payload& payload, const Request&, Children& children) {
  // The view, not the Bytes: the engine promises that the payload lives as long as its members.
  const auto view = payload.view();
  const auto members = std::make_shared<const std::vector<BoxMember>>(read_box(view));
  children.each(members->size(), [view, members](std::size_t index, Children& member) {
    const auto& [name, offset, size] = (*members)[index];
    member.produce({.name = std::string(name)}, size,
                   [&](Buffer& buffer) { buffer.append(slice(view, offset, size)); });
  });
}

void invert(const Payload& payload, const Request&, Children& children) {
  const auto rest = payload.view().subspan(4);
  children.produce({}, rest.size(), [&](Buffer& buffer) {
    for (std::size_t at = 0; at < rest.size(); at += 1000) {
      const auto some = rest.subspan(at, std::min<std::size_t>(1000, rest.size() - at));
      const auto room = buffer.prepare(some.size());
      std::transform(some.begin(), some.end(), room.begin(), [](std::byte b) { return ~b; });
      buffer.commit(some.size());
    }
  });
}

void carve_boxes(const Payload& payload, const Request&, Children& children) {
  const auto text = as_chars(payload.view());
  for (auto at = text.find("BOX"); at != text.npos; at = text.find("BOX", at + 1)) {
    children.emit(payload.bytes.slice(at, text.size() - at), {.name = {}, .offset = at});
  }
}

}  // namespace

std::string box(std::string_view magic, const Members& members) {
  std::string out(magic);
  for (const auto& [name, bytes] : members) {
    put_number(out, name.size());
    out += name;
    put_number(out, bytes.size());
    out += bytes;
  }
  return out;
}

std::string inverted(std::string_view plain) {
  std::string out = "XOR_";
  for (const char letter : plain) out += static_cast<char>(~letter);
  return out;
}

std::vector<BoxMember> read_box(ByteView bytes) {
  Cursor cursor(bytes);
  cursor.take(4);
  std::vector<BoxMember> members;
  while (cursor.remaining() > 0) {
    BoxMember member;
    member.name = as_chars(cursor.take(cursor.le<std::uint32_t>()));
    member.size = cursor.le<std::uint32_t>();
    member.offset = cursor.offset();
    cursor.take(member.size);
    members.push_back(member);
  }
  return members;
}

const Json& Ran::at(std::string_view path) const {
  static const Json none;
  for (const auto& record : records) {
    if (record["stoq"]["path"] == path) return record;
  }
  return none;
}

std::string Ran::status(std::string_view path) const {
  const auto& record = at(path);
  return record.is_null() ? "no record" : record["stoq"]["status"].get<std::string>();
}

std::size_t Ran::count_status(std::string_view status) const {
  return static_cast<std::size_t>(
      std::count_if(records.begin(), records.end(),
                    [&](const Json& record) { return record["stoq"]["status"] == status; }));
}

World::World() {
  config.limits.memory = memory;
  tuning.batch_roots = 4;
  tuning.cache_bytes = 0;  // tests count calls
}

void World::pause() const {
  if (!delays) return;
  const auto turn = pauses_.fetch_add(1, std::memory_order_relaxed);
  std::this_thread::sleep_for(std::chrono::microseconds(turn * 2654435761U % 151));
}

void World::expander(Category category, const std::string& name, std::string_view magic,
                     Expand body, bool reads_name) {
  const auto wrapped = [this, body = std::move(body)](const Payload& payload,
                                                      const Request& request, Children& children) {
    pause();
    body(payload, request, children);
    pause();
  };
  std::unique_ptr<Plugin> plugin;
  if (category == Category::decoder) plugin = std::make_unique<FakeDecoder>(wrapped, reads_name);
  if (category == Category::extractor)
    plugin = std::make_unique<FakeExtractor>(wrapped, reads_name);
  if (category == Category::carver) plugin = std::make_unique<FakeCarver>(wrapped, reads_name);
  const auto qualified = std::string(to_string(category)) + ":" + name;
  plugins.add({category, name, qualified, plugin.get()});
  owned_.push_back(std::move(plugin));
  rules_ += "rule " + name + " { meta: plugin = \"" + qualified + "\" type = \"" + name +
            (save ? "\" save = \"True" : "") + "\" strings: $a = \"" + std::string(magic) +
            "\" condition: $a at 0 }\n";
}

void World::worker(const std::string& name, Look body, bool reads_name) {
  auto plugin = std::make_unique<FakeWorker>(
      [this, body = std::move(body)](const Payload& payload, const Request& request) {
        pause();
        return body(payload, request);
      },
      reads_name);
  plugins.add({Category::worker, name, "worker:" + name, plugin.get()});
  owned_.push_back(std::move(plugin));
}

void World::archiver(std::unique_ptr<Connector> connector, Tlp max_tlp) {
  plugins.archiver = plugins.add({Category::connector, "keep", "connector:keep", connector.get()});
  plugins.plugins.back().max_tlp = max_tlp;
  owned_.push_back(std::move(connector));
}

void World::add_standard(bool reads_name) {
  expander(Category::extractor, "boxe", "BOXE", open_by_emit, reads_name);
  expander(Category::extractor, "boxp", "BOXP", open_by_produce, reads_name);
  expander(Category::extractor, "boxr", "BOXR", open_by_each, reads_name);
  expander(Category::decoder, "invert", "XOR_", invert, reads_name);
  expander(Category::carver, "boxes", "CARV", carve_boxes, reads_name);
  worker("sum", [](const Payload& payload, const Request&) {
    std::int64_t sum = 0;
    for (const auto byte : payload.view()) sum = (sum * 31 + std::to_integer<int>(byte)) % 1000003;
    return Value{{"sum", sum}};
  });
}

namespace {

void put_all(const Members& roots, Intake& intake) {
  for (const auto& [path, bytes] : roots) {
    Root root;
    root.path = path;
    root.bytes = Bytes::own(bytes);
    if (!intake.put(std::move(root))) return;
  }
}

}  // namespace

Ran World::run(const Members& roots) {
  return run_source([&](Intake& intake) { put_all(roots, intake); });
}

std::size_t World::count_lines(const Members& roots) {
  const auto rules = dispatcher();
  std::size_t lines = 0;
  engine::Graph graph(
      config, plugins, *rules, threads, memory,
      [&](std::string_view, std::size_t count) { lines += count; }, tuning);
  graph.run([&](Intake& intake) { put_all(roots, intake); });
  return lines;
}

std::unique_ptr<engine::Dispatcher> World::dispatcher() const {
  auto made = std::make_unique<engine::Dispatcher>(
      std::vector<engine::Dispatcher::Source>{{"test", rules_ + extra_rules}});
  for (auto& rule : made->rules()) {
    for (auto& target : rule.targets) {
      target.index = plugins.find(target.plugin);
      if (target.index == engine::PluginSet::none) throw ConfigError("no plugin " + target.plugin);
    }
  }
  return made;
}

Ran World::run_source(const std::function<void(Intake&)>& ingest) {
  const auto rules = dispatcher();
  Ran ran;
  engine::Graph graph(
      config, plugins, *rules, threads, memory,
      [&](std::string_view lines, std::size_t count) {
        ran.lines += lines;
        ran.count += count;
        if (on_save) on_save(lines);
      },
      tuning);
  if (before) before(graph);
  try {
    graph.run(ingest);
  } catch (const std::exception& error) {
    ran.problem = error.what();
  }
  std::istringstream stream(ran.lines);
  for (std::string line; std::getline(stream, line);) ran.records.push_back(Json::parse(line));
  ran.totals = graph.totals();
  ran.counters = graph.plugin_counters();
  ran.peak = graph.memory().credit().peak();
  ran.used = graph.memory().credit().used();
  ran.spilled = graph.memory().spilled();
  ran.repeated = graph.counts().repeated;
  for (const auto* from : {"load", "decode", "extract", "carve"}) {
    const auto [sent, inlined] = graph.edge(from, "dispatch");
    ran.into_dispatch += sent + inlined;
  }
  return ran;
}

void expect_conserved(const Ran& ran, std::size_t roots) {
  EXPECT_EQ(ran.problem, "");
  EXPECT_EQ(ran.used, 0U) << "memory left in flight";
  EXPECT_EQ(ran.count, ran.records.size());
  ASSERT_TRUE(ran.lines.empty() || ran.lines.back() == '\n');
  std::map<std::string, std::uint64_t> statuses, children;
  std::map<std::string, int> ids;
  std::size_t seen_roots = 0;
  for (const auto& record : ran.records) {
    const auto& stoq = record["stoq"];
    ++statuses[stoq["status"]];
    ++ids[stoq["id"]];
    if (stoq["depth"] == 0) ++seen_roots;
    if (stoq.contains("parent")) ++children[stoq["parent"]];
  }
  EXPECT_EQ(seen_roots, roots);
  for (const auto& [id, times] : ids) EXPECT_EQ(times, 1) << "id " << id;
  std::uint64_t declared = 0, emitted = 0, dropped = 0;
  for (const auto& record : ran.records) {
    const auto& stoq = record["stoq"];
    const auto brought = children[stoq["id"]];
    std::uint64_t lost = 0;
    if (!stoq.contains("children")) {
      EXPECT_EQ(brought, 0U) << record;
      continue;
    }
    const auto& counts = stoq["children"];
    if (counts.contains("dropped")) {
      for (const auto& item : counts["dropped"]) lost += item["count"].get<std::uint64_t>();
    }
    EXPECT_EQ(counts["declared"], counts["emitted"].get<std::uint64_t>() + lost) << record;
    EXPECT_EQ(counts["emitted"], brought) << record;
    declared += counts["declared"].get<std::uint64_t>();
    emitted += brought;
    dropped += lost;
  }
  EXPECT_EQ(ran.totals.declared, declared);
  EXPECT_EQ(ran.totals.emitted, emitted);
  EXPECT_EQ(ran.totals.dropped, dropped);
  EXPECT_EQ(ran.totals.payloads, ran.records.size());
  EXPECT_EQ(ran.totals.roots, roots);
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < ran.totals.statuses.size(); ++i) {
    EXPECT_EQ(ran.totals.statuses[i], statuses[std::string(to_string(static_cast<Status>(i)))]);
    all += ran.totals.statuses[i];
  }
  EXPECT_EQ(all, ran.totals.payloads);
}

namespace {

class Grower {
 public:
  explicit Grower(std::uint32_t seed) : random_(seed) {}

  std::string grow(unsigned depth) {
    if (!known_.empty() && below(5) == 0) return known_[below(known_.size())];
    std::string made;
    if (depth == 0 || below(4) == 0) {
      made = "leaf " + std::to_string(below(100)) +
             std::string(below(20) == 0 ? 70'000 : below(300), 'x');
    } else if (below(6) == 0) {
      made = inverted(grow(depth - 1));
    } else {
      static constexpr const char* magics[] = {"BOXE", "BOXP", "BOXR", "CARV"};
      Members members;
      for (auto left = below(6); left > 0; --left) {
        auto name = "m" + std::to_string(below(4));
        for (auto layers = known_.size() % 3; layers > 0; --layers) name += ".inv";
        members.emplace_back(std::move(name), grow(depth - 1));
      }
      made = box(magics[below(4)], members);
    }
    known_.push_back(made);
    return made;
  }

 private:
  std::size_t below(std::size_t end) { return random_() % end; }
  std::mt19937 random_;
  std::vector<std::string> known_;
};

}  // namespace

Members random_corpus(std::uint32_t seed, std::size_t roots) {
  Grower grower(seed);
  Members corpus;
  for (std::size_t i = 0; i < roots; ++i) {
    corpus.emplace_back("r" + std::to_string(i), grower.grow(4));
  }
  return corpus;
}

}  // namespace stoq::fakes
