#include "package.hpp"

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <stoq/error.hpp>

#include "collection.hpp"
#include "expression.hpp"
#include "package_objects.hpp"

namespace stix {
namespace {

using Node = pugi::xml_node;

/// Indicators within indicators and references, at most: these may lead in a circle.
constexpr int deepest = 64;

bool is_true(std::string_view text) noexcept { return text == "true" || text == "1"; }

/// Reads one document.
class Package {
 public:
  explicit Package(const Node& root) : root_(root) { index(); }

  [[nodiscard]] stoq::Value take() {
    const auto indicators = child(root_, "Indicators");
    for (const auto& indicator : indicators.children()) {
      if (indicator.type() == pugi::node_element) add_indicator(indicator);
    }
    for (const auto& observable : child(root_, "Observables").children()) {
      if (local_name(observable) != "Observable") continue;
      collection_.add_observable(attribute(observable, "id"), observable_test(observable, 0));
    }
    return collection_.take("stix1", attribute(root_, "id"));
  }

 private:
  /// What `idref` may name.
  void index() {
    for (Node node = root_; node;) {
      ++nodes_;
      if (const auto id = attribute(node, "id"); !id.empty()) by_id_.try_emplace(id, node);
      if (node.first_child()) {
        node = node.first_child();
        continue;
      }
      while (node && node != root_ && !node.next_sibling()) node = node.parent();
      node = node == root_ ? Node() : node.next_sibling();
    }
  }

  /// The node, or what it refers to; null when that is not in this document.
  [[nodiscard]] Node resolved(const Node& node) const {
    const auto reference = attribute(node, "idref");
    if (reference.empty()) return node;
    const auto found = by_id_.find(reference);
    return found == by_id_.end() ? Node() : found->second;
  }

  void add_indicator(const Node& node) {
    const About about{std::string(attribute(node, "id")),
                      std::string(text_of(child(node, "Title"))),
                      std::string(text_of(child(child(node, "Valid_Time_Position"), "End_Time")))};
    const auto mechanisms = child(node, "Test_Mechanisms");
    for (const auto& mechanism : mechanisms.children()) {
      if (mechanism.type() == pugi::node_element) add_mechanism(about, mechanism);
    }
    auto parts = tests_of(node, 0);
    if (!parts.empty()) {
      collection_.add(about, turned(node, joined(Join::all, std::move(parts))));
    } else if (!mechanisms) {
      collection_.note(about.id, "it has no observable and no test mechanism");
    }
  }

  void add_mechanism(const About& about, const Node& mechanism) {
    const auto type = xsi_type(mechanism);
    const auto rule = child(mechanism, "Rule");
    if (type.starts_with("YaraTestMechanism") && rule) {
      return collection_.add_yara(about, text_of(rule));
    }
    collection_.note(about.id, "test mechanism " + std::string(type) + " is not evaluated");
  }

  /// What an indicator asks for, in parts that must all hold.
  [[nodiscard]] std::vector<stoq::Value> tests_of(const Node& indicator, int depth) const {
    std::vector<stoq::Value> parts;
    for (const auto& part : indicator.children()) {
      const auto name = local_name(part);
      if (name == "Observable") parts.push_back(observable_test(part, depth + 1));
      if (name == "Composite_Indicator_Expression") {
        parts.push_back(composed(part, "Indicator", depth + 1));
      }
    }
    return parts;
  }

  [[nodiscard]] stoq::Value indicator_test(const Node& reference, int depth) const {
    const auto node = resolved(reference);
    if (!node || depth > deepest) return lost(reference);
    auto parts = tests_of(node, depth);
    if (parts.empty()) return unknown("indicator " + std::string(attribute(node, "id")));
    return turned(node, joined(Join::all, std::move(parts)));
  }

  [[nodiscard]] stoq::Value observable_test(const Node& reference, int depth) const {
    const auto node = resolved(reference);
    if (!node || depth > deepest) return lost(reference);
    for (const auto& part : node.children()) {
      const auto name = local_name(part);
      if (name == "Observable_Composition") {
        return turned(node, composed(part, "Observable", depth + 1));
      }
      if (name != "Object") continue;
      const auto object = resolved(part);
      const auto properties = object ? child(object, "Properties") : Node();
      if (!properties) return lost(part);
      return turned(node, read_properties(properties));
    }
    return unknown("observable " + std::string(attribute(node, "id")));
  }

  /// Parts of that name, joined as the attribute `operator` says.
  [[nodiscard]] stoq::Value composed(const Node& node, std::string_view name, int depth) const {
    std::vector<stoq::Value> parts;
    for (const auto& part : node.children()) {
      if (local_name(part) != name) continue;
      parts.push_back(name == "Indicator" ? indicator_test(part, depth + 1)
                                          : observable_test(part, depth + 1));
      if (++parts_ > 16 * nodes_) throw stoq::MalformedInput("stix: references unfold without end");
    }
    if (parts.empty()) return unknown("an empty composition");
    return joined(attribute(node, "operator") == "OR" ? Join::any : Join::all, std::move(parts));
  }

  [[nodiscard]] static stoq::Value turned(const Node& node, stoq::Value part) {
    if (!is_true(attribute(node, "negate")) || is_unknown(part)) return part;
    return negated(std::move(part));
  }
  [[nodiscard]] static stoq::Value lost(const Node& reference) {
    return unknown("what " + std::string(local_name(reference)) + " " +
                   std::string(attribute(reference, "idref")) + " refers to");
  }

  Node root_;
  std::unordered_map<std::string_view, Node> by_id_;
  Collection collection_;
  std::size_t nodes_ = 0;
  /// Read so far: compositions that refer to compositions multiply with each layer.
  mutable std::size_t parts_ = 0;
};

}  // namespace

stoq::Value read_package(std::string_view xml) {
  pugi::xml_document document;
  const auto result =
      document.load_buffer(xml.data(), xml.size(), pugi::parse_default, pugi::encoding_auto);
  if (!result) {
    throw stoq::MalformedInput(std::string("stix: ") + result.description() + " (offset " +
                               std::to_string(result.offset) + ")");
  }
  const auto root = document.document_element();
  if (local_name(root) != "STIX_Package") return {};
  return Package(root).take();
}

}  // namespace stix
