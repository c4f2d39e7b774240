#include "indicators.hpp"

#include <utility>

namespace ioc {

void Indicators::start(const Wanted& wanted, const Allowlist& allowed, std::size_t most) noexcept {
  wanted_ = &wanted;
  allowed_ = &allowed;
  most_ = most;
  for (auto& list : lists_) {
    // An empty set would still be walked bucket by bucket.
    if (!list.known.empty()) list.known.clear();
    list.order.clear();
    list.omitted = 0;
  }
}

void Indicators::add(Type type, std::string text, std::string_view host) {
  if (!wants(type)) return;
  auto& list = lists_[index(type)];
  if (list.known.contains(text) || allowed_->contains(type, text, host)) return;
  if (list.order.size() >= most_) {
    ++list.omitted;
    return;
  }
  list.order.push_back(&*list.known.insert(std::move(text)).first);
}

stoq::Value Indicators::take() {
  stoq::Value result;
  stoq::Value omitted;
  for (std::size_t i = 0; i < lists_.size(); ++i) {
    auto& list = lists_[i];
    if (list.omitted != 0) omitted.add(std::string(type_names[i]), list.omitted);
    if (list.order.empty()) continue;
    stoq::Value::Array items;
    items.reserve(list.order.size());
    for (const auto* item : list.order) items.emplace_back(*item);
    result.add(std::string(type_names[i]), std::move(items));
  }
  if (!omitted.is_null()) result.add("omitted", std::move(omitted));
  return result;
}

}  // namespace ioc
