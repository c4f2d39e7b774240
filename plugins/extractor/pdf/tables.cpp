#include "tables.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "contents.hpp"

namespace pdf {
namespace {

constexpr int most_number = std::numeric_limits<int>::max() - 1;

/// What an entry takes in our own map and qpdf's, in bytes of objects.
constexpr std::uint64_t entry_cost = 4;

std::string padded(std::uint64_t number, std::size_t digits) {
  const auto text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

std::string line_of(std::uint64_t offset, int generation, char kind) {
  return padded(offset, 10) + ' ' + padded(static_cast<std::uint64_t>(generation), 5) + ' ' + kind +
         " \n";
}

/// How many bytes each field of an entry has.
std::array<std::size_t, 3> widths_of(QPDFObjectHandle dictionary) {
  std::array<std::size_t, 3> widths{};
  auto list = dictionary.getKey("/W");
  if (!list.isArray() || list.getArrayNItems() < 3) {
    throw stoq::MalformedInput("a cross-reference stream without /W");
  }
  for (int i = 0; i < 3; ++i) {
    int width = -1;
    if (!list.getArrayItem(i).getValueAsInt(width) || width < 0 || width > 8) {
      throw stoq::MalformedInput("a cross-reference stream with a wrong /W");
    }
    widths.at(static_cast<std::size_t>(i)) = static_cast<std::size_t>(width);
  }
  return widths;
}

/// First numbers and counts.
std::vector<std::pair<std::int64_t, std::int64_t>> ranges_of(QPDFObjectHandle dictionary) {
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  auto list = dictionary.getKey("/Index");
  if (!list.isArray()) {
    long long size = 0;
    if (!dictionary.getKey("/Size").getValueAsInt(size)) {
      throw stoq::MalformedInput("a cross-reference stream without /Size");
    }
    ranges.emplace_back(0, size);
    return ranges;
  }
  const int count = list.getArrayNItems();
  for (int i = 0; i + 1 < count; i += 2) {
    long long first = 0;
    long long size = 0;
    if (list.getArrayItem(i).getValueAsInt(first) && list.getArrayItem(i + 1).getValueAsInt(size)) {
      ranges.emplace_back(first, size);
    }
  }
  return ranges;
}

std::uint64_t number_of(stoq::ByteView bytes, std::uint64_t missing) noexcept {
  if (bytes.empty()) return missing;
  std::uint64_t value = 0;
  for (const auto byte : bytes) value = value << 8U | std::to_integer<std::uint64_t>(byte);
  return value;
}

}  // namespace

void Tables::add(QPDFObjectHandle stream, Budget& budget, const stoq::Request& request) {
  auto dictionary = stream.getDict();
  const auto widths = widths_of(dictionary);
  if (widths[0] + widths[1] + widths[2] == 0) {
    throw stoq::MalformedInput("a cross-reference stream with entries of no bytes");
  }
  const auto text = text_of(stream, budget, request);
  stoq::Cursor entries(stoq::as_bytes(text));
  for (const auto& [first, count] : ranges_of(dictionary)) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (!budget.take(entry_cost)) {
        throw stoq::MalformedInput("there are more objects than max_objects allows");
      }
      const auto kind = number_of(entries.take(widths[0]), 1);
      const auto second = number_of(entries.take(widths[1]), 0);
      const auto third = number_of(entries.take(widths[2]), 0);
      if (first < 0 || i > most_number || first + i < 1 || first + i > most_number) continue;
      const auto number = static_cast<int>(first + i);
      if (kind == 1 && third <= 65535) {
        places_.emplace(number, Place{Kind::plain, second, static_cast<int>(third)});
      } else if (kind == 2 && second <= std::uint64_t{most_number}) {
        places_.emplace(number, Place{Kind::packed, second, 0});
      } else {
        places_.emplace(number, Place{Kind::free, 0, 0});
      }
    }
  }
}

void Tables::add(int number, int generation, std::uint64_t offset) {
  places_.emplace(number, Place{Kind::plain, offset, generation});
}

void Tables::add(QPDF& document) {
  for (const auto& [place, entry] : document.getXRefTable()) {
    if (entry.getType() != 1 || place.getObj() > most_number) continue;
    add(place.getObj(), place.getGen(), static_cast<std::uint64_t>(entry.getOffset()));
  }
}

std::string Tables::text(QPDFObjectHandle trailer, std::uint64_t size) const {
  std::string table = "\nxref\n0 1\n" + line_of(0, 65535, 'f');
  std::string lines;
  int first = 0;
  int next = 0;
  const auto flush = [&] {
    if (next > first) {
      table += std::to_string(first) + ' ' + std::to_string(next - first) + '\n' + lines;
    }
    lines.clear();
  };
  for (const auto& [number, place] : places_) {
    if (place.kind != Kind::plain || place.where == 0 || place.where >= size) continue;
    if (number != next) {
      flush();
      first = number;
    }
    lines += line_of(place.where, place.generation, 'n');
    next = number + 1;
  }
  flush();
  table += "trailer\n<< /Size " + std::to_string(std::max(next, 1));
  for (const auto* key : {"/Root", "/Info", "/Encrypt", "/ID"}) {
    auto value = trailer.getKey(key);
    // What it refers to is not to be looked at: it may not be known to whom the trailer belongs.
    if (value.isIndirect() || !value.isNull())
      table += ' ' + std::string(key) + ' ' + value.unparse();
  }
  return table + " >>" + pointer_to(size + 1);
}

std::map<int, int> Tables::packed() const {
  std::map<int, int> packed;
  for (const auto& [number, place] : places_) {
    if (place.kind == Kind::packed) packed.emplace(number, static_cast<int>(place.where));
  }
  return packed;
}

std::string table_of_one(int number, int generation, std::uint64_t offset, std::uint64_t size) {
  return "\nxref\n" + std::to_string(number) + " 1\n" + line_of(offset, generation, 'n') +
         "trailer\n<< /Size " + std::to_string(std::int64_t{number} + 1) + " >>" +
         pointer_to(size + 1);
}

std::string pointer_to(std::uint64_t offset) {
  return "\nstartxref\n" + std::to_string(offset) + "\n%%EOF\n";
}

}  // namespace pdf
