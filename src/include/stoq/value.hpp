#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace stoq {

template <class T>
concept Integer = std::integral<T> && !std::same_as<T, bool>;

/// A JSON value. Objects keep the order in which their members were added, so that the same input
/// gives the same line of JSON every time.
class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::vector<std::pair<std::string, Value>>;

  Value() = default;  // null
  Value(std::same_as<bool> auto flag) : data_(flag) {}
  Value(Integer auto number) : data_(static_cast<std::int64_t>(number)) {}
  Value(std::floating_point auto number) : data_(static_cast<double>(number)) {}
  Value(std::string text) : data_(std::move(text)) {}
  Value(std::string_view text) : data_(std::string(text)) {}
  Value(const char* text) : data_(std::string(text)) {}
  Value(Array items) : data_(std::move(items)) {}
  Value(Object members) : data_(std::move(members)) {}
  Value(std::initializer_list<Object::value_type> members) : data_(Object(members)) {}

  [[nodiscard]] bool is_null() const noexcept { return data_.index() == 0; }
  /// The member called `key`; null when this is no object or has no such member.
  [[nodiscard]] const Value& operator[](std::string_view key) const noexcept {
    static const Value null;
    if (const auto* members = get_if<Object>()) {
      for (const auto& [name, value] : *members) {
        if (name == key) return value;
      }
    }
    return null;
  }
  template <class T>
  [[nodiscard]] const T* get_if() const noexcept {
    return std::get_if<T>(&data_);
  }
  /// The member as text, or `fallback` when it is absent or no text.
  [[nodiscard]] std::string_view text(std::string_view key,
                                      std::string_view fallback = {}) const noexcept {
    const auto* found = (*this)[key].template get_if<std::string>();
    return found != nullptr ? std::string_view(*found) : fallback;
  }
  /// The member as a whole number, or `fallback` when it is absent or none.
  [[nodiscard]] std::int64_t integer(std::string_view key,
                                     std::int64_t fallback = 0) const noexcept {
    const auto* found = (*this)[key].template get_if<std::int64_t>();
    return found != nullptr ? *found : fallback;
  }
  /// Adds a member to an object; null becomes an object first.
  void add(std::string key, Value value) {
    if (is_null()) data_ = Object{};
    std::get<Object>(data_).emplace_back(std::move(key), std::move(value));
  }
  /// Gives an object's member a value, in its place if there is one of that name; null becomes an
  /// object first.
  void set(std::string_view key, Value value) {
    if (is_null()) data_ = Object{};
    auto* const members = std::get_if<Object>(&data_);
    if (members == nullptr) throw std::bad_variant_access();
    const auto known = std::find_if(members->begin(), members->end(),
                                    [&](const auto& member) { return member.first == key; });
    if (known != members->end()) {
      known->second = std::move(value);
    } else {
      members->emplace_back(key, std::move(value));
    }
  }
  template <class Visitor>
  decltype(auto) visit(Visitor&& visitor) const {
    return std::visit(std::forward<Visitor>(visitor), data_);
  }

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> data_;
};

}  // namespace stoq
