#include "pkzip.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace stoq::common {
namespace {

using stoq::MalformedInput;

/// Bits from the least significant on.
class BitReader {
 public:
  explicit BitReader(stoq::ByteView data) noexcept : data_(data) {}

  unsigned bits(unsigned count) {
    while (held_ < count) {
      if (next_ == data_.size()) throw MalformedInput("compressed data ends early");
      hold_ |= std::to_integer<std::uint32_t>(data_[next_++]) << held_;
      held_ += 8;
    }
    const auto value = hold_ & ((std::uint32_t{1} << count) - 1);
    hold_ >>= count;
    held_ -= count;
    return value;
  }
  unsigned bit() { return bits(1); }
  void to_byte() noexcept { hold_ = held_ = 0; }

 private:
  stoq::ByteView data_;
  std::size_t next_ = 0;
  std::uint32_t hold_ = 0;
  unsigned held_ = 0;
};

/// Output with its own past as dictionary, committed piece by piece.
class Window {
 public:
  explicit Window(stoq::Buffer& out) noexcept : out_(out) {}

  [[nodiscard]] std::uint64_t size() const noexcept { return out_.size() + used_; }
  void put(std::byte byte) {
    if (used_ == room_.size()) refill();
    room_[used_++] = byte;
  }
  /// The byte `distance` back; zero before the beginning.
  [[nodiscard]] std::byte past(std::size_t distance) const noexcept {
    if (distance <= used_) return room_[used_ - distance];
    const auto committed = out_.view();
    const auto back = distance - used_;
    return back <= committed.size() ? committed[committed.size() - back] : std::byte{0};
  }
  void flush() {
    out_.commit(used_);
    used_ = 0;
    room_ = {};
  }

 private:
  void refill() {
    constexpr std::size_t piece = std::size_t{64} << 10;
    flush();
    // Beyond the limit prepare() says so.
    room_ = out_.prepare(std::clamp<std::size_t>(out_.remaining(), 1, piece));
  }

  stoq::Buffer& out_;
  std::span<std::byte> room_;
  std::size_t used_ = 0;
};

/// A canonical prefix code given by the lengths of its codes (RFC 1951, 3.2.2).
class Code {
 public:
  static constexpr unsigned most_length = 16;

  explicit Code(std::span<const std::uint8_t> lengths) : symbols_(lengths.size()) {
    for (const auto length : lengths) ++count_[length];
    count_[0] = 0;
    int left = 1;
    for (unsigned length = 1; length <= most_length; ++length) {
      left = 2 * left - count_[length];
      if (left < 0) throw MalformedInput("more codes than their lengths allow");
    }
    std::array<std::uint16_t, most_length + 2> offsets{};
    for (unsigned length = 1; length <= most_length; ++length) {
      offsets[length + 1] = static_cast<std::uint16_t>(offsets[length] + count_[length]);
    }
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] != 0) {
        symbols_[offsets[lengths[symbol]]++] = static_cast<std::uint16_t>(symbol);
      }
    }
  }

  /// The next symbol; `flip` is 1 where codes stand complemented.
  unsigned decode(BitReader& in, unsigned flip = 0) const {
    int code = 0;
    int first = 0;
    int index = 0;
    for (unsigned length = 1; length <= most_length; ++length) {
      code |= static_cast<int>(in.bit() ^ flip);
      const int count = count_[length];
      if (code - count < first) return symbols_[static_cast<std::size_t>(index + code - first)];
      index += count;
      first = 2 * (first + count);
      code *= 2;
    }
    throw MalformedInput("code that stands for nothing");
  }

 private:
  std::array<std::uint16_t, most_length + 1> count_{};
  std::vector<std::uint16_t> symbols_;
};

/// Runs `decode`, and commits what it wrote whether it ends well or not.
template <class Decode>
void commit_all(Window& window, Decode decode) {
  try {
    decode();
  } catch (const MalformedInput&) {
    window.flush();
    throw;
  }
  window.flush();
}

// --- deflate64 --------------------------------------------------------------------------------

/// Where deflate64 differs: symbol 285 is 3 bytes and 16 extra bits, distances have 32 codes.
void copy_match64(BitReader& in, unsigned symbol, const Code& distances, Window& window) {
  constexpr std::array<std::uint16_t, 29> base = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                                  15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                                  67, 83, 99, 115, 131, 163, 195, 227, 3};
  constexpr std::array<std::uint8_t, 29> extra = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                  2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 16};
  if (symbol - 257 >= base.size()) throw MalformedInput("length code out of range");
  const unsigned length = base[symbol - 257] + in.bits(extra[symbol - 257]);
  const unsigned code = distances.decode(in);
  unsigned distance = code + 1;
  if (code >= 4) {
    const unsigned bits = code / 2 - 1;
    distance = ((2 + code % 2) << bits) + 1 + in.bits(bits);
  }
  if (distance > window.size()) throw MalformedInput("match begins before the data");
  for (unsigned i = 0; i < length; ++i) window.put(window.past(distance));
}

void coded_block64(BitReader& in, const Code& literals, const Code& distances, Window& window) {
  while (true) {
    const auto symbol = literals.decode(in);
    if (symbol == 256) return;
    if (symbol < 256) {
      window.put(static_cast<std::byte>(symbol));
    } else {
      copy_match64(in, symbol, distances, window);
    }
  }
}

void stored_block64(BitReader& in, Window& window) {
  in.to_byte();
  const unsigned size = in.bits(16);
  if ((in.bits(16) ^ size) != 0xffff) throw MalformedInput("length of a stored block is wrong");
  for (unsigned i = 0; i < size; ++i) window.put(static_cast<std::byte>(in.bits(8)));
}

void fixed_block64(BitReader& in, Window& window) {
  std::array<std::uint8_t, 288> literals{};
  for (std::size_t i = 0; i < literals.size(); ++i) {
    literals[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  }
  std::array<std::uint8_t, 32> distances{};
  distances.fill(5);
  coded_block64(in, Code(literals), Code(distances), window);
}

void dynamic_block64(BitReader& in, Window& window) {
  constexpr std::array<std::uint8_t, 19> order = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                                  11, 4,  12, 3, 13, 2, 14, 1, 15};
  const std::size_t literals = in.bits(5) + 257;
  const std::size_t distances = in.bits(5) + 1;
  const std::size_t used = in.bits(4) + 4;
  std::array<std::uint8_t, 19> meta{};
  for (std::size_t i = 0; i < used; ++i) meta[order[i]] = static_cast<std::uint8_t>(in.bits(3));
  const Code lengths_code(meta);

  std::vector<std::uint8_t> lengths;
  while (lengths.size() < literals + distances) {
    const auto symbol = lengths_code.decode(in);
    if (symbol < 16) {
      lengths.push_back(static_cast<std::uint8_t>(symbol));
      continue;
    }
    if (symbol == 16 && lengths.empty()) throw MalformedInput("nothing to repeat");
    const std::uint8_t value = symbol == 16 ? lengths.back() : std::uint8_t{0};
    const std::size_t count = symbol == 16   ? 3 + in.bits(2)
                              : symbol == 17 ? 3 + in.bits(3)
                                             : 11 + in.bits(7);
    lengths.insert(lengths.end(), count, value);
  }
  if (lengths.size() > literals + distances) throw MalformedInput("too many code lengths");
  const std::span<const std::uint8_t> all(lengths);
  coded_block64(in, Code(all.first(literals)), Code(all.subspan(literals)), window);
}

// --- implode ----------------------------------------------------------------------------------

/// A code as implode stores it: runs of (how many, how long), a nibble each, less one.
Code read_tree(BitReader& in, std::size_t symbols) {
  std::vector<std::uint8_t> lengths;
  const unsigned runs = in.bits(8) + 1;
  for (unsigned i = 0; i < runs; ++i) {
    const auto length = static_cast<std::uint8_t>(in.bits(4) + 1);
    lengths.insert(lengths.end(), in.bits(4) + 1, length);
  }
  if (lengths.size() != symbols) {
    throw MalformedInput("implode tree of " + std::to_string(lengths.size()) + " codes where " +
                         std::to_string(symbols) + " belong");
  }
  return Code(lengths);
}

}  // namespace

void inflate64(stoq::ByteView data, stoq::Buffer& out) {
  BitReader in(data);
  Window window(out);
  commit_all(window, [&] {
    for (bool last = false; !last;) {
      last = in.bit() == 1;
      switch (in.bits(2)) {
        case 0:
          stored_block64(in, window);
          break;
        case 1:
          fixed_block64(in, window);
          break;
        case 2:
          dynamic_block64(in, window);
          break;
        default:
          throw MalformedInput("unknown kind of deflate64 block");
      }
    }
  });
}

void explode(stoq::ByteView data, std::uint16_t flags, std::uint64_t size, stoq::Buffer& out) {
  constexpr unsigned large_window = 2;
  constexpr unsigned literal_tree = 4;
  const bool coded_literals = (flags & literal_tree) != 0;
  const unsigned low_bits = (flags & large_window) != 0 ? 7 : 6;
  BitReader in(data);
  Window window(out);
  commit_all(window, [&] {
    const auto literals = coded_literals ? read_tree(in, 256) : Code({});
    const auto lengths = read_tree(in, 64);
    const auto distances = read_tree(in, 64);
    while (window.size() < size) {
      if (in.bit() == 1) {
        window.put(static_cast<std::byte>(coded_literals ? literals.decode(in, 1) : in.bits(8)));
        continue;
      }
      const unsigned low = in.bits(low_bits);
      const unsigned distance = (distances.decode(in, 1) << low_bits) + low + 1;
      unsigned length = lengths.decode(in, 1);
      if (length == 63) length += in.bits(8);
      length += coded_literals ? 3 : 2;
      // PKZIP's window begins as zeros: a match may reach before the data.
      for (; length > 0 && window.size() < size; --length) window.put(window.past(distance));
    }
  });
}

}  // namespace stoq::common
