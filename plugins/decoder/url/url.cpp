/// Undoes percent-encoding (RFC 3986, section 2.1) wherever it stands in the payload, and leaves
/// everything else, wrong escapes too, as it is. A payload without escapes has no child. %uXXXX, as
/// JavaScript's escape() writes UTF-16 (ECMA-262, annex B.2.1.1), becomes UTF-8, or the bytes that
/// it is in memory. The dispatch rule's metas go before the options of the same names:
///   plus    true: '+' is a blank
///   units   what %uXXXX becomes: "text" is UTF-8; "bytes" is two bytes, low one first, as
///           shellcode is written; "both" gives a child of each
///   least   with fewer escapes than this nothing is brought out (1)
///   in_row  nor without so many %uXXXX, or escapes of visible ASCII characters, in a row (0)
#include <cstdint>

#include "bytewise.hpp"

namespace {

constexpr std::string_view plugin_name = "url";
constexpr std::size_t stop_interval = 1 << 20;

enum class Units : std::uint8_t { text, bytes, both };

struct How {
  bool plus = false;
  Units units = Units::text;
};

std::optional<Units> units_named(std::string_view name) {
  if (name == "text") return Units::text;
  if (name == "bytes") return Units::bytes;
  if (name == "both") return Units::both;
  return {};
}

/// The value of `count` hex digits at `at`; nothing when they are none.
std::optional<std::uint32_t> hex_at(stoq::ByteView text, std::size_t at, std::size_t count) {
  if (!stoq::fits(text, at, count)) return {};
  std::uint32_t number = 0;
  for (const auto byte : text.subspan(at, count)) {
    const auto c = std::to_integer<std::uint32_t>(byte);
    const auto letter = c | 0x20U;
    if (c >= '0' && c <= '9') {
      number = number << 4U | (c - '0');
    } else if (letter >= 'a' && letter <= 'f') {
      number = number << 4U | (letter - 'a' + 10);
    } else {
      return {};
    }
  }
  return number;
}

/// One step through the text: what stands for what.
struct Step {
  std::size_t taken = 1;
  std::array<std::byte, 4> bytes{};
  std::size_t count = 1;
  bool escape = false;
  [[nodiscard]] bool unit() const { return taken >= 6; }
  [[nodiscard]] bool blank() const { return escape && bytes[0] == std::byte{' '}; }
  /// Stands for what could have been written as it is.
  [[nodiscard]] bool visible() const {
    return escape && bytes[0] > std::byte{' '} && bytes[0] < std::byte{0x7f};
  }
};

void put_utf8(std::uint32_t code, Step& step) {
  const auto put = [&](std::uint32_t bits) {
    step.bytes[step.count++] = static_cast<std::byte>(bits);
  };
  step.count = 0;
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0U | code >> 6U);
  } else {
    if (code < 0x10000) {
      put(0xe0U | code >> 12U);
    } else {
      put(0xf0U | code >> 18U);
      put(0x80U | (code >> 12U & 0x3fU));
    }
    put(0x80U | (code >> 6U & 0x3fU));
  }
  put(0x80U | (code & 0x3fU));
}

/// The UTF-16 unit in the escape %uXXXX at `at`, if there is one.
std::optional<std::uint32_t> unit_at(stoq::ByteView text, std::size_t at) {
  if (!stoq::fits(text, at, 6) || text[at] != std::byte{'%'}) return {};
  if (text[at + 1] != std::byte{'u'} && text[at + 1] != std::byte{'U'}) return {};
  return hex_at(text, at + 2, 4);
}

void take_unit(stoq::ByteView text, std::size_t at, std::uint32_t unit, How how, Step& step) {
  step.taken = 6;
  step.escape = true;
  if (how.units == Units::bytes) {
    step.bytes = {static_cast<std::byte>(unit & 0xffU), static_cast<std::byte>(unit >> 8U)};
    step.count = 2;
    return;
  }
  constexpr std::uint32_t replacement = 0xfffd;
  const bool high = unit >= 0xd800 && unit < 0xdc00;
  const auto low = high ? unit_at(text, at + 6) : std::nullopt;
  if (low && *low >= 0xdc00 && *low < 0xe000) {
    step.taken = 12;
    unit = 0x10000U + ((unit - 0xd800U) << 10U) + (*low - 0xdc00U);
  } else if (unit >= 0xd800 && unit < 0xe000) {
    unit = replacement;
  }
  put_utf8(unit, step);
}

Step step_at(stoq::ByteView text, std::size_t at, How how) {
  Step step;
  step.bytes[0] = text[at];
  if (text[at] == std::byte{'+'} && how.plus) step.bytes[0] = std::byte{' '};
  if (text[at] != std::byte{'%'}) return step;
  if (const auto number = hex_at(text, at + 1, 2)) {
    step.bytes[0] = static_cast<std::byte>(*number);
    step.taken = 3;
    step.escape = true;
  } else if (const auto unit = unit_at(text, at)) {
    take_unit(text, at, *unit, how, step);
  }
  return step;
}

class Url : public stoq::Decoder {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    how_.plus = options.get("plus", false, "'+' is a blank, as in the fields of a form");
    const auto units = options.get(
        "units", "text", "what %uXXXX becomes: text (UTF-8), bytes (low one first) or both");
    const auto known = units_named(units);
    if (!known) {
      throw stoq::ConfigError("url: units is '" + units + "', expected text, bytes or both");
    }
    how_.units = *known;
  }

  void decode(const stoq::Payload& payload, const stoq::Request& request,
              stoq::Children& children) const override {
    const auto& args = request.args();
    const auto how = how_for(args);
    const auto least = args.integer("least", 1);
    if (least < 1) stoq::common::refuse_rule(plugin_name, args, "least is below 1");
    const auto in_row = args.integer("in_row", 0);
    if (in_row < 0) stoq::common::refuse_rule(plugin_name, args, "in_row is below 0");
    const auto text = payload.view();
    const Wanted wanted{static_cast<std::uint64_t>(least), static_cast<std::uint64_t>(in_row)};
    if (!has_escapes(text, wanted, how, request)) return;
    if (how.units != Units::both) return produce(text, how, {}, request, children);
    produce(text, {how.plus, Units::text}, {}, request, children);
    if (!has_units(text, request)) return;
    produce(text, {how.plus, Units::bytes}, {{"units", "bytes"}}, request, children);
  }

 private:
  /// How many escapes there must be: in all, and in a row.
  struct Wanted {
    std::uint64_t least, in_row;
  };

  static void produce(stoq::ByteView text, How how, stoq::Value meta, const stoq::Request& request,
                      stoq::Children& children) {
    constexpr std::size_t block_size = 16384;
    constexpr std::size_t step_most = 4;
    stoq::ChildInfo info{.keep_prefix = true, .meta = std::move(meta)};
    children.produce(std::move(info), text.size(), [&](stoq::Buffer& buffer) {
      std::array<std::byte, block_size> block{};
      for (std::size_t at = 0; at < text.size() && !request.stop_requested();) {
        std::size_t made = 0;
        while (at < text.size() && made + step_most <= block.size()) {
          const auto step = step_at(text, at, how);
          for (std::size_t i = 0; i < step.count; ++i) block[made++] = step.bytes[i];
          at += step.taken;
        }
        const auto part = stoq::ByteView(block).first(made);
        const auto fitting = std::min(made, buffer.remaining());
        buffer.append(part.first(fitting));
        if (fitting < made) throw stoq::LimitReached{"child_bytes"};
      }
    });
  }

  [[nodiscard]] How how_for(const stoq::Value& args) const {
    How how{stoq::common::flag(plugin_name, args, "plus", how_.plus), how_.units};
    if (!args["units"].is_null()) {
      const auto known = units_named(args.text("units"));
      if (!known)
        stoq::common::refuse_rule(plugin_name, args, "units is none of text, bytes and both");
      how.units = *known;
    }
    return how;
  }

  /// Whether as many escapes as wanted, or blanks written as '+', are there.
  static bool has_escapes(stoq::ByteView text, Wanted wanted, How how,
                          const stoq::Request& request) {
    const auto chars = stoq::as_chars(text);
    // Of one character it is looked for many bytes at a time.
    const auto next = [&](std::size_t at) {
      return how.plus ? chars.find_first_of("%+", at) : chars.find('%', at);
    };
    std::uint64_t escapes = 0, row = 0, longest = 0;
    std::size_t looked = 0, row_end = 0;
    for (auto at = next(0); at < chars.size(); at = next(at)) {
      if (at - looked >= stop_interval) {
        if (request.stop_requested()) return false;
        looked = at;
      }
      const auto step = step_at(text, at, how);
      if (step.escape || chars[at] == '+') ++escapes;
      if (step.visible() || step.unit()) {
        row = (at == row_end ? row : 0) + 1;
        row_end = at + step.taken;
        longest = std::max(longest, row);
      } else if (step.blank() && at == row_end) {
        row_end = at + step.taken;
      }
      if (escapes >= wanted.least && longest >= wanted.in_row) return true;
      at += step.taken;
    }
    return false;
  }

  static bool has_units(stoq::ByteView text, const stoq::Request& request) {
    const auto chars = stoq::as_chars(text);
    for (auto at = chars.find('%'); at < chars.size(); at = chars.find('%', at + 1)) {
      if (unit_at(text, at)) return true;
      if (request.stop_requested()) return false;
    }
    return false;
  }

  How how_;
};

}  // namespace

STOQ_PLUGIN(Url)
