#include "literals.hpp"

#include <algorithm>

namespace {

char fold(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::uint8_t byte(char c) noexcept { return static_cast<std::uint8_t>(c); }

}  // namespace

std::size_t Literals::add(std::string_view literal) {
  std::string folded(literal);
  std::transform(folded.begin(), folded.end(), folded.begin(), fold);
  const auto [at, is_new] = numbers_.try_emplace(folded, literals_.size());
  if (is_new) literals_.push_back(std::move(folded));
  return at->second;
}

bool Literals::build() {
  std::size_t states = 1;
  for (const auto& literal : literals_) {
    states += literal.size();
    for (const char c : literal) {
      if (class_of_[byte(c)] == 0) class_of_[byte(c)] = static_cast<std::uint8_t>(classes_++);
    }
  }
  if (states > most_states || literals_.size() > UINT16_MAX || classes_ > 224) return false;
  for (char c = 'A'; c <= 'Z'; ++c) class_of_[byte(c)] = class_of_[byte(fold(c))];

  next_.assign(row(states), 0);
  ends_.assign(states, {});
  std::size_t used = 1;
  for (std::size_t i = 0; i < literals_.size(); ++i) {
    std::size_t state = 0;
    for (const char c : literals_[i]) {
      auto& next = next_[row(state) + class_of_[byte(c)]];
      if (next == 0) next = static_cast<State>(used++);
      state = next;
    }
    ends_[state].push_back(static_cast<std::uint16_t>(i));
  }
  // Breadth first: a state's failure state is shallower, so it is complete when asked for.
  std::vector<State> failure(used, 0);
  std::vector<State> queue{0};
  for (std::size_t at = 0; at < queue.size(); ++at) {
    const auto state = queue[at];
    for (std::size_t c = 0; c < classes_; ++c) {
      auto& next = next_[row(state) + c];
      const State otherwise = state == 0 ? State{0} : next_[row(failure[state]) + c];
      if (next == 0) {
        next = otherwise;
        continue;
      }
      failure[next] = otherwise;
      const auto& shorter = ends_[otherwise];
      ends_[next].insert(ends_[next].end(), shorter.begin(), shorter.end());
      queue.push_back(next);
    }
  }
  next_.resize(row(used));
  for (auto& next : next_) {
    if (!ends_[next].empty()) next = static_cast<State>(next | ends_here);
  }
  return true;
}

void Literals::find(std::string_view text, std::vector<std::uint32_t>& first) const {
  first.assign(literals_.size(), nowhere);
  std::size_t state = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    state = next_[row(state) + class_of_[byte(text[i])]];
    if ((state & ends_here) == 0) continue;
    state &= ~std::size_t{ends_here};
    for (const auto number : ends_[state]) {
      if (first[number] == nowhere) {
        first[number] = static_cast<std::uint32_t>(i + 1 - literals_[number].size());
      }
    }
  }
}
