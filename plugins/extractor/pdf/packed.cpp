#include "packed.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <qpdf/QPDFExc.hh>

#include "contents.hpp"

namespace pdf {
namespace {

using std::string_view_literals::operator""sv;

/// What stands between words, and what ends a name (7.2.2).
constexpr std::string_view blanks("\0\t\n\f\r ", 6);
constexpr std::string_view delimiters("\0\t\n\f\r ()<>[]{}/%", 16);

/// The next whole number of `text`, which then begins behind it.
std::optional<int> take_number(std::string_view& text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return std::nullopt;
  int number = 0;
  const auto* const end = text.data() + text.size();
  const auto [next, failure] = std::from_chars(text.data() + first, end, number);
  if (failure != std::errc{} || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(next - text.data()));
  return number;
}

/// Offsets and numbers of the objects in `text`, in order of the offsets.
std::vector<std::pair<std::size_t, int>> index_of(std::string_view text, int count, int first) {
  std::vector<std::pair<std::size_t, int>> index;
  const auto begin = static_cast<std::size_t>(first);
  auto head = text.substr(0, std::min(begin, text.size()));
  for (int i = 0; i < count; ++i) {
    const auto number = take_number(head);
    const auto offset = take_number(head);
    if (!number || !offset) break;
    const auto place = begin + static_cast<std::size_t>(*offset);
    if (place < text.size()) index.emplace_back(place, *number);
  }
  std::sort(index.begin(), index.end());
  return index;
}

/// Keys by which a dictionary says a script, or what a file is called and where it is, or how a
/// filter was used.
bool is_telling(std::string_view key) noexcept {
  constexpr std::array keys{"JS"sv,
                            "EF"sv,
                            "F"sv,
                            "UF"sv,
                            "DOS"sv,
                            "Mac"sv,
                            "Unix"sv,
                            "Predictor"sv,
                            "Columns"sv,
                            "Colors"sv,
                            "BitsPerComponent"sv,
                            "EarlyChange"sv};
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// False for a dictionary that neither finds.cpp nor a stream's filters make anything of: nearly
/// all objects of a large document (annotations, destinations, fonts), each of which costs qpdf
/// some thirty allocations. What stands in strings may say yes, too; a name may be escaped by '#'.
bool may_tell(std::string_view object) noexcept {
  const auto begin = object.find_first_not_of(blanks);
  if (begin == object.npos || !object.substr(begin).starts_with("<<"sv)) return true;
  if (object.find('#') != object.npos) return true;
  for (auto at = object.find('/'); at != object.npos; at = object.find('/', at + 1)) {
    const auto name = object.substr(at + 1);
    if (is_telling(name.substr(0, name.find_first_of(delimiters)))) return true;
  }
  return false;
}

class Unpacker {
 public:
  Unpacker(QPDF& document, const std::map<int, int>& owners, Budget& budget,
           const stoq::Request& request)
      : document_(document),
        owners_(owners),
        budget_(budget),
        request_(request),
        encrypted_(document.isEncrypted()) {}

  /// False when there is nothing to be done, or it is done.
  bool unpack(int number) {
    if (!done_.insert(number).second) return false;
    auto stream = document_.getObject(number, 0);
    if (!stream.isStreamOfType("/ObjStm")) return false;
    int count = 0;
    int first = 0;
    auto dictionary = stream.getDict();
    if (!dictionary.getKey("/N").getValueAsInt(count) ||
        !dictionary.getKey("/First").getValueAsInt(first) || first < 0) {
      return false;
    }
    try {
      add_all(number, text_of(stream, budget_, request_), count, first);
    } catch (const stoq::MalformedInput&) {
      return true;  // said where the stream itself is brought out
    }
    return true;
  }

 private:
  void add_all(int stream, const std::string& text, int count, int first) {
    const auto index = index_of(text, count, first);
    for (std::size_t i = 0; i < index.size(); ++i) {
      if (request_.stop_requested()) throw stoq::LimitReached{"plugin_timeout"};
      const auto [offset, number] = index[i];
      if (!belongs(number, stream)) continue;
      const auto end = i + 1 < index.size() ? index[i + 1].first : text.size();
      if (end <= offset) continue;
      const auto object = std::string_view(text).substr(offset, end - offset);
      // In an encrypted one a dictionary may name the filter that encrypts a stream.
      if (encrypted_ || may_tell(object)) add(number, std::string(object));
    }
  }

  [[nodiscard]] bool belongs(int number, int stream) {
    if (number < 1) return false;
    const auto owner = owners_.find(number);
    if (owner != owners_.end()) return owner->second == stream;
    if (known_.empty()) {
      for (const auto& [place, entry] : document_.getXRefTable()) known_.insert(place.getObj());
    }
    return !known_.contains(number);
  }

  void add(int number, const std::string& text) {
    try {
      auto object = QPDFObjectHandle::parse(&document_, text, "object in a stream");
      if (!object.isIndirect()) document_.replaceObject(number, 0, object);
    } catch (const QPDFExc&) {
      return;  // broken: as if it were not there
    }
  }

  QPDF& document_;
  const std::map<int, int>& owners_;
  Budget& budget_;
  const stoq::Request& request_;
  bool encrypted_;
  std::set<int> known_;  ///< to the tables; asked for when it matters
  std::set<int> done_;
};

}  // namespace

std::vector<QPDFObjectHandle> all_objects(QPDF& document, const std::map<int, int>& owners,
                                          Budget& budget, const stoq::Request& request) {
  Unpacker unpacker(document, owners, budget, request);
  // First those that are known: a stream's /Length may stand in one.
  for (const auto& [number, stream] : owners) unpacker.unpack(stream);
  auto objects = document.getAllObjects();
  bool more = false;
  for (auto& object : objects) {
    const bool is_packed = object.isStreamOfType("/ObjStm") && object.getGeneration() == 0;
    more |= is_packed && unpacker.unpack(object.getObjectID());
  }
  return more ? document.getAllObjects() : objects;
}

}  // namespace pdf
