/// Rotates the bits of every byte of the payload. The dispatch rule's metas, which go before the
/// options of the same names, say how:
///   bits        by how many, 1 to 7. Without it, or 0: every number is tried under which a known
///               plaintext comes out, and each gives a child
///   direction   "right" or "left"
///   carry       true: bits that leave a byte go into the next one (of the last: into the first),
///               the payload is one number. Needs bits
///   plaintext   the known plaintext, instead of the option plaintext_list
#include "bytewise.hpp"

namespace {

using stoq::common::ByteMap;

constexpr std::string_view plugin_name = "bitrot";

enum class Direction : std::uint8_t { left, right };

struct Rotation {
  unsigned bits = 0;
  Direction direction = Direction::right;

  /// The same as a rotation to the right.
  [[nodiscard]] unsigned to_right() const {
    return direction == Direction::right ? bits : 8 - bits;
  }
};

/// `byte` shifted to the right, filled from the left with the low bits of `behind`.
std::byte shifted(std::byte byte, std::byte behind, unsigned bits) {
  return (byte >> bits) | (behind << (8 - bits));
}

ByteMap map_of(Rotation rotation) {
  ByteMap map{};
  for (std::size_t i = 0; i < map.size(); ++i) {
    const auto byte = static_cast<std::byte>(i);
    map[i] = shifted(byte, byte, rotation.to_right());
  }
  return map;
}

/// Whether `plaintext` comes out somewhere when `view` is rotated.
bool comes_out(stoq::ByteView view, std::string_view plaintext, Rotation rotation) {
  const auto back = map_of({8 - rotation.bits, rotation.direction});
  std::string rotated(plaintext);
  for (auto& letter : rotated) {
    const auto index = static_cast<std::size_t>(static_cast<unsigned char>(letter));
    letter = static_cast<char>(back[index]);
  }
  return stoq::as_chars(view).find(rotated) != std::string_view::npos;
}

class Bitrot : public stoq::Decoder {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    bits_ = options.get<unsigned>(
        "bits", 0, "by how many bits, 1 to 7; 0: as makes one of plaintext_list readable");
    if (bits_ > 7) {
      throw stoq::ConfigError("bitrot: bits is " + std::to_string(bits_) + ", expected 0 to 7");
    }
    const auto direction = options.get("direction", "right", "right or left");
    const auto known = direction_named(direction);
    if (!known) {
      throw stoq::ConfigError("bitrot: direction is '" + direction + "', expected right or left");
    }
    direction_ = *known;
    plaintexts_ = options.get_list("plaintext_list", "what is looked for when bits is 0",
                                   "This program, http://, https://, <script, %PDF-1.");
  }

  void decode(const stoq::Payload& payload, const stoq::Request& request,
              stoq::Children& children) const override {
    const auto view = payload.view();
    const auto& args = request.args();
    const auto rotation = given(args);
    const bool carry = stoq::common::flag(plugin_name, args, "carry", false);
    if (carry && rotation.bits == 0) refuse(args, "carry needs bits");
    if (view.empty()) return;
    if (carry) return emit_carried(view, rotation, request, children);
    if (rotation.bits != 0) return emit(view, rotation, request, children);
    for (const auto& found : searched(view, rotation.direction, request)) {
      emit(view, found, request, children);
    }
  }

 private:
  [[noreturn]] static void refuse(const stoq::Value& args, std::string_view reason) {
    stoq::common::refuse_rule(plugin_name, args, reason);
  }

  static std::optional<Direction> direction_named(std::string_view name) {
    if (name == "left") return Direction::left;
    if (name == "right") return Direction::right;
    return {};
  }

  [[nodiscard]] Rotation given(const stoq::Value& args) const {
    Rotation rotation{bits_, direction_};
    if (!args["plaintext"].is_null()) {
      if (args.text("plaintext").empty()) refuse(args, "plaintext is empty or no text");
      rotation.bits = 0;
    }
    if (!args["bits"].is_null()) {
      const auto bits = args.integer("bits", -1);
      if (bits < 0 || bits > 7) refuse(args, "bits is no number from 0 to 7");
      rotation.bits = static_cast<unsigned>(bits);
    }
    if (!args["direction"].is_null()) {
      const auto known = direction_named(args.text("direction"));
      if (!known) refuse(args, "direction is neither right nor left");
      rotation.direction = *known;
    }
    return rotation;
  }

  [[nodiscard]] std::vector<Rotation> searched(stoq::ByteView view, Direction direction,
                                               const stoq::Request& request) const {
    const auto plaintext = request.args().text("plaintext");
    std::vector<Rotation> found;
    for (unsigned bits = 1; bits < 8 && !request.stop_requested(); ++bits) {
      const Rotation rotation{bits, direction};
      const auto fits = [&](std::string_view text) { return comes_out(view, text, rotation); };
      if (plaintext.empty() ? std::any_of(plaintexts_.begin(), plaintexts_.end(), fits)
                            : fits(plaintext)) {
        found.push_back(rotation);
      }
    }
    return found;
  }

  static stoq::ChildInfo info_of(Rotation rotation) {
    return {.keep_prefix = true,
            .meta = {{"bits", rotation.bits},
                     {"direction", rotation.direction == Direction::left ? "left" : "right"}}};
  }

  static void emit(stoq::ByteView view, Rotation rotation, const stoq::Request& request,
                   stoq::Children& children) {
    stoq::common::produce_mapped(view, map_of(rotation), info_of(rotation), request, children);
  }

  static void emit_carried(stoq::ByteView view, Rotation rotation, const stoq::Request& request,
                           stoq::Children& children) {
    constexpr std::size_t block_size = 65536;
    const bool left = rotation.direction == Direction::left;
    const auto bits = rotation.to_right();
    // To the right, a byte takes in what the one before it loses: itself << (8 - bits). To the left
    // by n is a right shift by 8 - n of the byte behind, filled from this one.
    const auto byte_at = [&](std::size_t i) {
      const auto before = view[i == 0 ? view.size() - 1 : i - 1];
      const auto behind = view[i + 1 == view.size() ? 0 : i + 1];
      return left ? shifted(behind, view[i], bits) : shifted(view[i], before, bits);
    };
    children.produce(info_of(rotation), view.size(), [&](stoq::Buffer& buffer) {
      for (std::size_t at = 0; at < view.size() && !request.stop_requested();) {
        const auto most = std::max<std::size_t>(buffer.remaining(), 1);
        const auto room = buffer.prepare(std::min({view.size() - at, block_size, most}));
        for (auto& byte : room) byte = byte_at(at++);
        buffer.commit(room.size());
      }
    });
  }

  unsigned bits_ = 0;
  Direction direction_ = Direction::right;
  std::vector<std::string> plaintexts_;
};

}  // namespace

STOQ_PLUGIN(Bitrot)
