#include "watchlist.hpp"

#include <algorithm>
#include <utility>

namespace stix {
namespace {

/// Facts of one match that are listed.
constexpr std::size_t most_listed = 20;

/// With where it first stands in the payload, if it does so in these letters.
stoq::Value described(const Fact& fact, std::string_view payload) {
  stoq::Value value{{"type", to_string(fact.kind)}, {"value", fact.value}};
  if (!is_in_text(fact.kind)) return value;
  if (const auto at = payload.find(fact.value); at != payload.npos) value.add("offset", at);
  return value;
}

stoq::Value described(const YaraHit& hit) {
  stoq::Value value{{"type", "yara"}, {"value", hit.rule}};
  if (hit.offset) value.add("offset", *hit.offset);
  return value;
}

}  // namespace

void Watchlist::add(const stoq::Value& read, const std::string& file, bool observables) {
  const auto bundle = static_cast<std::uint32_t>(bundles_.size());
  bundles_.push_back({file, std::string(read.text("id"))});
  for (const auto* const list : {"indicators", "observables"}) {
    const auto* const items = read[list].get_if<stoq::Value::Array>();
    if (items == nullptr || (list == std::string_view("observables") && !observables)) continue;
    for (const auto& item : *items) add_one(item, bundle);
  }
  if (const auto* const notes = read["not_understood"].get_if<stoq::Value::Array>()) {
    for (const auto& note : *notes) {
      problems_.push_back({std::string(note.text("id")), std::string(note.text("reason"))});
    }
  }
}

void Watchlist::add_one(const stoq::Value& read, std::uint32_t bundle) {
  Indicator indicator{std::string(read.text("id")),
                      std::string(read.text("name")),
                      std::string(read.text("valid_until")),
                      bundle,
                      0,
                      false};
  const auto number = static_cast<std::uint32_t>(indicators_.size());
  if (const auto rules = read.text("yara"); !rules.empty()) {
    indicator.is_yara = true;
    if (auto problem = yara_.add(std::string(rules), number); !problem.empty()) {
      problems_.push_back({std::move(indicator.id), "YARA: " + std::move(problem)});
      return;
    }
  } else {
    const auto first_test = owners_.size();
    indicator.root = add_node(read["expression"], indicator.id);
    std::fill(owners_.begin() + static_cast<std::ptrdiff_t>(first_test), owners_.end(), number);
    Kinds all;
    all.fill(true);
    if (evaluate(indicator.root, all, {}) == Truth::yes) always_.push_back(number);
  }
  indicators_.push_back(std::move(indicator));
}

std::uint32_t Watchlist::add_node(const stoq::Value& expression, const std::string& id) {
  Node node;
  if (const auto* const parts = expression["of"].get_if<stoq::Value::Array>()) {
    const auto op = expression.text("op");
    node.op = op == "and" ? Op::all : op == "or" ? Op::any : Op::none;
    std::vector<std::uint32_t> numbers;
    for (const auto& part : *parts) numbers.push_back(add_node(part, id));
    node.first = static_cast<std::uint32_t>(parts_.size());
    node.count = static_cast<std::uint32_t>(numbers.size());
    parts_.insert(parts_.end(), numbers.begin(), numbers.end());
  } else if (expression["unknown"].is_null()) {
    node.op = Op::test;
    node.first = static_cast<std::uint32_t>(owners_.size());
    node.kind = kind_called(expression.text("type")).value_or(Kind::name);
    owners_.push_back(0);
    if (auto problem = index_.add(expression, node.first); !problem.empty()) {
      problems_.push_back({id, std::string(expression.text("test")) + ": " + problem});
      node.op = Op::unknown;
    }
  }
  nodes_.push_back(node);
  return static_cast<std::uint32_t>(nodes_.size() - 1);
}

void Watchlist::finish() {
  if (const auto problem = index_.finish(); !problem.empty()) throw stoq::ConfigError(problem);
  yara_.finish();
}

Watchlist::Truth Watchlist::evaluate(std::uint32_t number, const Kinds& present,
                                     const std::vector<Hit>& hits) const {
  const auto& node = nodes_[number];
  const auto is_hit = [&](std::uint32_t test) {
    const auto at = std::lower_bound(hits.begin(), hits.end(), test,
                                     [](const Hit& hit, auto wanted) { return hit.test < wanted; });
    return at != hits.end() && at->test == test;
  };
  if (node.op == Op::unknown) return Truth::unknown;
  if (node.op == Op::test) return is_hit(node.first) ? Truth::yes : Truth::no;
  if (node.op == Op::none) {
    const auto inner = parts_[node.first];
    const auto& part = nodes_[inner];
    // A payload that has no domain is none whose domain is not this one.
    if (part.op == Op::test && !present[index(part.kind)]) return Truth::no;
    const auto truth = evaluate(inner, present, hits);
    return truth == Truth::yes ? Truth::no : truth == Truth::no ? Truth::yes : truth;
  }
  auto truth = node.op == Op::all ? Truth::yes : Truth::no;
  for (std::uint32_t i = 0; i < node.count; ++i) {
    const auto part = evaluate(parts_[node.first + i], present, hits);
    truth = node.op == Op::all ? std::min(truth, part) : std::max(truth, part);
  }
  return truth;
}

std::vector<Watchlist::Hit> Watchlist::hits_of(Facts& facts) const {
  std::vector<Hit> hits;
  std::vector<std::uint32_t> tests;
  for (std::uint32_t i = 0; i < facts.all.size(); ++i) {
    tests.clear();
    if (!index_.find(facts.all[i], tests)) {
      facts.error = "not all LIKE and MATCHES could be tried: they need too much memory";
    }
    for (const auto test : tests) hits.push_back({test, i});
  }
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return a.test != b.test ? a.test < b.test : a.fact < b.fact;
  });
  return hits;
}

stoq::Value Watchlist::described(std::uint32_t number) const {
  const auto& indicator = indicators_[number];
  const auto& bundle = bundles_[indicator.bundle];
  stoq::Value match{{"id", indicator.id}};
  if (!indicator.name.empty()) match.add("name", indicator.name);
  if (!bundle.id.empty()) match.add("bundle", bundle.id);
  match.add("file", bundle.file);
  if (!indicator.valid_until.empty()) match.add("valid_until", indicator.valid_until);
  return match;
}

stoq::Value::Array Watchlist::matched(std::uint32_t number, std::string_view payload,
                                      const Facts& facts, const std::vector<Hit>& hits,
                                      const std::vector<YaraHit>& yara_hits) const {
  stoq::Value::Array list;
  // Tests of an indicator have numbers in a row, as hits have.
  auto hit = std::lower_bound(hits.begin(), hits.end(), number, [&](const Hit& one, auto wanted) {
    return owners_[one.test] < wanted;
  });
  std::uint32_t last = UINT32_MAX;
  for (; hit != hits.end() && owners_[hit->test] == number; ++hit) {
    if (list.size() >= most_listed) return list;
    if (hit->fact != last) list.push_back(stix::described(facts.all[hit->fact], payload));
    last = hit->fact;
  }
  for (const auto& yara : yara_hits) {
    if (yara.indicator == number && list.size() < most_listed) {
      list.push_back(stix::described(yara));
    }
  }
  return list;
}

stoq::Value Watchlist::match(stoq::ByteView payload, Facts& facts,
                             const std::vector<YaraHit>& yara_hits, std::size_t most) const {
  const auto hits = hits_of(facts);
  std::vector<std::uint32_t> candidates = always_;
  for (const auto& hit : hits) candidates.push_back(owners_[hit.test]);
  for (const auto& hit : yara_hits) candidates.push_back(hit.indicator);
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  stoq::Value::Array matches;
  std::size_t omitted = 0;
  for (const auto number : candidates) {
    const auto truth = indicators_[number].is_yara
                           ? Truth::yes
                           : evaluate(indicators_[number].root, facts.present(), hits);
    if (truth == Truth::no) continue;
    if (matches.size() >= most) {
      ++omitted;
      continue;
    }
    auto match = described(number);
    if (truth == Truth::unknown) match.add("undecided", true);
    auto list = matched(number, stoq::as_chars(payload), facts, hits, yara_hits);
    if (!list.empty()) match.add("matched", std::move(list));
    matches.push_back(std::move(match));
  }
  if (matches.empty()) return {};
  stoq::Value result{{"matches", std::move(matches)}};
  if (omitted != 0) result.add("omitted", omitted);
  return result;
}

}  // namespace stix
