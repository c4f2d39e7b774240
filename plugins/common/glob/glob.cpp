#include "glob.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace stoq::common {
namespace {

/// A place in glob and text to come back to when what follows does not match.
struct Retry {
  std::size_t glob = 0, text = 0;
  bool known = false;
};

/// Whether the set that begins behind '[' at `at` holds `byte`; moves `at` behind its ']'. Nothing
/// when the set is never closed: the bracket is then an ordinary byte.
std::optional<bool> in_set(std::string_view glob, std::size_t& at, unsigned char byte) {
  std::size_t i = at;
  const bool negated = i < glob.size() && (glob[i] == '!' || glob[i] == '^');
  if (negated) ++i;
  bool found = false;
  for (bool first = true; i < glob.size() && (first || glob[i] != ']'); first = false) {
    if (glob[i] == '\\' && i + 1 < glob.size()) ++i;
    const auto low = static_cast<unsigned char>(glob[i++]);
    auto high = low;
    if (i + 1 < glob.size() && glob[i] == '-' && glob[i + 1] != ']') {
      ++i;
      if (glob[i] == '\\' && i + 1 < glob.size()) ++i;
      high = static_cast<unsigned char>(glob[i++]);
    }
    found = found || (low <= byte && byte <= high);
  }
  if (i >= glob.size()) return std::nullopt;
  at = i + 1;
  return found != negated;
}

/// Matches the one element (no star) of the glob at `at` against `byte` and steps over it.
bool match_one(std::string_view glob, std::size_t& at, char byte) {
  const char element = glob[at++];
  if (element == '?') return byte != '/';
  if (element == '[') {
    if (const auto held = in_set(glob, at, static_cast<unsigned char>(byte))) {
      return *held && byte != '/';
    }
    return byte == '[';
  }
  if (element == '\\' && at < glob.size()) return glob[at++] == byte;
  return element == byte;
}

/// Whether "**" stands at `at` as a whole segment.
bool is_double_star(std::string_view glob, std::size_t at) {
  return glob.substr(at).starts_with("**") && (at == 0 || glob[at - 1] == '/') &&
         (at + 2 == glob.size() || glob[at + 2] == '/');
}

/// The next place at or behind `at` where a path's segment begins; npos when there is none.
std::size_t next_segment(std::string_view text, std::size_t at) {
  const auto slash = text.find('/', at);
  return slash == std::string_view::npos ? slash : slash + 1;
}

}  // namespace

// Only the last star of each kind needs a way back: whatever an earlier one would gain by taking
// more, the later one can take as well. So time is bounded by the product of the lengths, squared
// at worst in the text, and never exponential.
bool matches(std::string_view glob, std::string_view text) {
  Retry star, double_star;
  std::size_t g = 0, t = 0;
  for (;;) {
    if (g < glob.size() && is_double_star(glob, g)) {
      if (g + 2 == glob.size()) return true;
      g += 3;
      double_star = {g, t, true};
      star.known = false;
      continue;
    }
    if (g < glob.size() && glob[g] == '*') {
      star = {++g, t, true};
      continue;
    }
    if (g == glob.size() && t == text.size()) return true;
    if (g < glob.size() && t < text.size() && match_one(glob, g, text[t])) {
      ++t;
      continue;
    }
    if (star.known && star.text < text.size() && text[star.text] != '/') {
      t = ++star.text;
      g = star.glob;
    } else if (double_star.known) {
      const auto segment = next_segment(text, double_star.text);
      if (segment == std::string_view::npos) return false;
      t = double_star.text = segment;
      g = double_star.glob;
      star.known = false;
    } else {
      return false;
    }
  }
}

Filter::Filter(const std::vector<std::string>& include, const std::vector<std::string>& exclude)
    : include_(prepare(include)), exclude_(prepare(exclude)) {}

std::string Filter::refuse_file(std::string_view path) const {
  for (const auto& glob : exclude_) {
    if (!glob.folders_only && hits(glob, path)) return "excluded by '" + glob.given + "'";
  }
  const auto hit = [path](const Glob& glob) { return hits(glob, path); };
  if (include_.empty() || std::any_of(include_.begin(), include_.end(), hit)) return {};
  return "matches none of the globs to include";
}

std::string Filter::refuse_folder(std::string_view path) const {
  for (const auto& glob : exclude_) {
    if (hits(glob, path)) return "folder excluded by '" + glob.given + "'";
  }
  return {};
}

std::vector<Filter::Glob> Filter::prepare(const std::vector<std::string>& globs) {
  std::vector<Glob> prepared;
  for (const auto& given : globs) {
    Glob glob{given, given, false, false};
    if (glob.pattern.size() > 1 && glob.pattern.ends_with('/')) {
      glob.folders_only = true;
      glob.pattern.pop_back();
    }
    glob.whole_path = glob.pattern.find('/') != std::string::npos;
    if (glob.pattern.starts_with('/')) glob.pattern.erase(0, 1);
    prepared.push_back(std::move(glob));
  }
  return prepared;
}

bool Filter::hits(const Glob& glob, std::string_view path) {
  if (glob.whole_path) return matches(glob.pattern, path);
  return matches(glob.pattern, path.substr(path.rfind('/') + 1));
}

}  // namespace stoq::common
