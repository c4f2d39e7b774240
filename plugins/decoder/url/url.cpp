/// Undoes percent-encoding (RFC 3986, section 2.1) wherever it stands in the payload, and leaves
/// everything else, wrong escapes too, as it is. A payload without escapes has no child. %uXXXX, as
/// JavaScript's escape() writes UTF-16 (ECMA-262, annex B.2.1.1), becomes UTF-8, or the bytes that
/// it is in memory. The dispatch rule's metas go before the options of the same names:
///   plus    true: '+' is a blank
///   units   what %uXXXX becomes: "text" is UTF-8; "bytes" is two bytes, low one first, as
///           shellcode is written; "both" gives a child of each
///   least   with fewer escapes than this nothing is brought out (1)
///   in_row  not the payload as a whole, but each run in it, as far as white space, quotes and
///           parentheses, with so many %uXXXX, or escapes of visible ASCII characters, in a row (0)
#include <cstdint>
#include <optional>

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
    if (in_row > 0)
      return decode_runs(text, static_cast<std::uint64_t>(in_row), how, request, children);
    if (!has_escapes(text, static_cast<std::uint64_t>(least), how, request)) return;
    produce_all(text, {}, how, request, children);
  }

 private:
  /// Brings out `text`, which stands at `offset` if it is not the whole payload.
  static void produce_all(stoq::ByteView text, std::optional<std::uint64_t> offset, How how,
                          const stoq::Request& request, stoq::Children& children) {
    if (how.units != Units::both) return produce(text, offset, how, {}, request, children);
    produce(text, offset, {how.plus, Units::text}, {}, request, children);
    if (!has_units(text, request)) return;
    produce(text, offset, {how.plus, Units::bytes}, {{"units", "bytes"}}, request, children);
  }

  static void produce(stoq::ByteView text, std::optional<std::uint64_t> offset, How how,
                      stoq::Value meta, const stoq::Request& request, stoq::Children& children) {
    constexpr std::size_t block_size = 16384;
    constexpr std::size_t step_most = 4;
    stoq::ChildInfo info{.offset = offset, .keep_prefix = true, .meta = std::move(meta)};
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

  /// Whether at least so many escapes, or blanks written as '+', are there.
  static bool has_escapes(stoq::ByteView text, std::uint64_t least, How how,
                          const stoq::Request& request) {
    const auto chars = stoq::as_chars(text);
    // Of one character it is looked for many bytes at a time.
    const auto next = [&](std::size_t at) {
      return how.plus ? chars.find_first_of("%+", at) : chars.find('%', at);
    };
    std::uint64_t escapes = 0;
    std::size_t looked = 0;
    for (auto at = next(0); at < chars.size(); at = next(at)) {
      if (at - looked >= stop_interval) {
        if (request.stop_requested()) return false;
        looked = at;
      }
      const auto step = step_at(text, at, how);
      if ((step.escape || chars[at] == '+') && ++escapes >= least) return true;
      at += step.taken;
    }
    return false;
  }

  /// Whether a run may hold this, escapes or not.
  static bool in_run(char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"'`<>()\\").find(c) == std::string_view::npos;
  }

  static void decode_runs(stoq::ByteView text, std::uint64_t in_row, How how,
                          const stoq::Request& request, stoq::Children& children) {
    const auto chars = stoq::as_chars(text);
    std::uint64_t row = 0;
    std::size_t looked = 0, row_begin = 0, row_end = 0, run_end = 0;
    for (auto at = chars.find('%'); at < chars.size(); at = chars.find('%', at)) {
      if (at - looked >= stop_interval) {
        if (request.stop_requested()) return;
        looked = at;
      }
      const auto step = step_at(text, at, how);
      if (at != row_end || !step.escape) row = 0;
      if (row == 0) row_begin = at;
      at += step.taken;
      if (step.visible() || step.unit()) ++row;
      if (step.visible() || step.unit() || step.blank()) row_end = at;
      if (row < in_row) continue;
      while (row_begin > run_end && in_run(chars[row_begin - 1])) --row_begin;
      run_end = at;
      while (run_end < chars.size() && in_run(chars[run_end])) ++run_end;
      produce_all(text.subspan(row_begin, run_end - row_begin), row_begin, how, request, children);
      at = run_end;
      row = 0;
    }
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
