/// Undoes XOR with a repeating key, from the payload's first byte on. The dispatch rule's metas say
/// which key:
///   key         decimal bytes separated by blanks ("41 166 3"), or one number
///   key_hex     the same in hex ("29a603")
///   plaintext   text that stands in the payload XORed, at `offset` where the rule has a string for
///               it: the key is what makes it readable; key_length says how many bytes the key has
///               (1 unless given). Without an offset it is searched for under every one-byte key,
///               and each key that is found gives a child.
/// Without any of these the option key_list is used.
#include <algorithm>
#include <array>
#include <charconv>

#include <stoq/plugin.hpp>

namespace {

using Key = std::vector<std::byte>;

constexpr std::size_t block_size = 16384;

/// A rule that cannot be followed; found out only now, for rules are loaded without the plugins.
[[noreturn]] void refuse(const stoq::Value& args, std::string_view reason) {
  throw stoq::MalformedInput("xor: rule '" + std::string(args.text("rule", "?")) +
                             "': " + std::string(reason));
}

/// One number of `text`, or nothing when it is no byte.
std::optional<std::byte> byte_of(std::string_view text, int base) {
  unsigned number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (failure != std::errc{} || end != text.data() + text.size() || number > 255) return {};
  return static_cast<std::byte>(number);
}

Key decimal_key(const stoq::Value& args, std::string_view text) {
  Key key;
  for (std::size_t at = text.find_first_not_of(" ,"); at < text.size();
       at = text.find_first_not_of(" ,", at)) {
    const auto word = text.substr(at, text.find_first_of(" ,", at) - at);
    const auto byte = byte_of(word, 10);
    if (!byte) refuse(args, "key has '" + std::string(word) + "', expected numbers from 0 to 255");
    key.push_back(*byte);
    at += word.size();
  }
  return key;
}

Key hex_key(const stoq::Value& args, std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  Key key;
  for (; text.size() >= 2; text.remove_prefix(2)) {
    const auto byte = byte_of(text.substr(0, 2), 16);
    if (!byte) break;
    key.push_back(*byte);
  }
  if (!text.empty()) refuse(args, "key_hex is not pairs of hex digits");
  return key;
}

/// The key that turns the bytes at the rule's match into the rule's plaintext; empty when no key of
/// that length does.
Key derived_key(const stoq::Value& args, stoq::ByteView view, std::string_view plaintext) {
  const auto length = args.integer("key_length", 1);
  if (length < 1 || static_cast<std::uint64_t>(length) > plaintext.size()) {
    refuse(args, "key_length must be from 1 to the plaintext's length, " +
                     std::to_string(plaintext.size()));
  }
  const auto offset = args.integer("offset", -1);
  if (offset < 0) refuse(args, "plaintext needs the offset of a match");
  const auto start = static_cast<std::size_t>(offset);
  if (!stoq::fits(view, start, plaintext.size())) return {};

  Key key(static_cast<std::size_t>(length));
  const auto plain = stoq::as_bytes(plaintext);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    auto& byte = key[(start + i) % key.size()];
    const auto wanted = view[start + i] ^ plain[i];
    if (i < key.size()) byte = wanted;
    if (byte != wanted) return {};
  }
  return key;
}

/// Every one-byte key but 0 under which `plaintext` stands somewhere in the payload. What XOR with
/// one byte leaves alone is how neighbours differ: that is looked for, a block at a time, so that
/// nothing is tried 255 times (a YARA string with `xor(0x01-0xff)` costs a third of a small file's
/// scan).
std::vector<Key> searched_keys(stoq::ByteView view, std::string_view plaintext,
                               const stoq::Request& request) {
  constexpr std::size_t block = 64;
  constexpr std::size_t ahead = 2;
  const auto plain = stoq::as_bytes(plaintext);
  if (plain.size() < 4) refuse(request.args(), "plaintext to be searched for needs 4 letters");
  const auto first = std::to_integer<std::uint8_t>(plain[0] ^ plain[1]);
  const auto second = std::to_integer<std::uint8_t>(plain[1] ^ plain[2]);
  std::array<bool, 256> known{true};
  std::vector<Key> keys;
  const auto try_at = [&](std::size_t at) {
    if (!stoq::fits(view, at, plain.size())) return;
    const auto key = view[at] ^ plain[0];
    if (known[std::to_integer<std::size_t>(key)]) return;
    for (std::size_t i = 1; i < plain.size(); ++i) {
      if ((view[at + i] ^ plain[i]) != key) return;
    }
    known[std::to_integer<std::size_t>(key)] = true;
    keys.push_back({key});
  };
  std::size_t at = 0;
  for (; stoq::fits(view, at, block + ahead); at += block) {
    // To ask means to look at a clock: now and then, not for every block.
    if (at % (std::size_t{1} << 20) == 0 && request.stop_requested()) return keys;
    const auto here = view.subspan(at, block + ahead);
    std::uint8_t least = 255;  // over rounds without a branch: the compiler's vectors
    for (std::size_t i = 0; i < block; ++i) {
      const auto one = std::to_integer<std::uint8_t>(here[i] ^ here[i + 1]);
      const auto two = std::to_integer<std::uint8_t>(here[i + 1] ^ here[i + 2]);
      const auto miss = static_cast<std::uint8_t>((one ^ first) | (two ^ second));
      least = std::min(least, miss);
    }
    if (least != 0) continue;
    for (std::size_t i = 0; i < block; ++i) try_at(at + i);
  }
  for (; at < view.size(); ++at) try_at(at);
  return keys;
}

std::string to_hex(const Key& key) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "0x";
  for (const auto byte : key) {
    text += digits[std::to_integer<std::size_t>(byte >> 4)];
    text += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
  }
  return text;
}

class Xor : public stoq::Decoder {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    for (const auto byte : options.get_list<std::uint8_t>(
             "key_list", "the key, in decimal, when a rule names none")) {
      key_.push_back(std::byte{byte});
    }
    if (!key_.empty() && is_zero(key_)) throw stoq::ConfigError("xor: key_list is all zeros");
  }

  void decode(const stoq::Payload& payload, const stoq::Request& request,
              stoq::Children& children) const override {
    const auto view = payload.view();
    const auto& args = request.args();
    if (view.empty()) return;
    const auto plaintext = args.text("plaintext");
    if (!plaintext.empty() && args["offset"].is_null()) {
      if (args.integer("key_length", 1) != 1)
        refuse(args, "key_length needs the offset of a match");
      for (const auto& key : searched_keys(view, plaintext, request)) {
        emit(view, key, request, children);
      }
      return;
    }
    const auto key = plaintext.empty() ? given_key(args) : derived_key(args, view, plaintext);
    if (is_zero(key)) return;  // the plaintext stands there in the clear, or under no such key
    emit(view, key, request, children);
  }

 private:
  static void emit(stoq::ByteView view, const Key& key, const stoq::Request& request,
                   stoq::Children& children) {
    // A multiple of the key, so that the inner loop is free of the key's length.
    std::vector<std::byte> pad(key.size() * (1 + block_size / key.size()));
    for (std::size_t i = 0; i < pad.size(); ++i) pad[i] = key[i % key.size()];

    stoq::ChildInfo info{.keep_prefix = true, .meta = {{"key", to_hex(key)}}};
    children.produce(std::move(info), view.size(), [&](stoq::Buffer& plain) {
      for (auto rest = view; !rest.empty() && !request.stop_requested();) {
        // A room shorter than the pad is the last one: what follows is past the limit.
        const auto room = plain.prepare(
            std::min({rest.size(), pad.size(), std::max<std::size_t>(plain.remaining(), 1)}));
        for (std::size_t i = 0; i < room.size(); ++i) room[i] = rest[i] ^ pad[i];
        plain.commit(room.size());
        rest = rest.subspan(room.size());
      }
    });
  }

  static bool is_zero(const Key& key) {
    return std::all_of(key.begin(), key.end(), [](std::byte byte) { return byte == std::byte{}; });
  }

  Key given_key(const stoq::Value& args) const {
    Key key = key_;
    if (const auto* number = args["key"].get_if<std::int64_t>()) {
      key = decimal_key(args, std::to_string(*number));
    } else if (!args["key"].is_null()) {
      key = decimal_key(args, args.text("key"));
    } else if (!args["key_hex"].is_null()) {
      key = hex_key(args, args.text("key_hex"));
    }
    if (is_zero(key)) {
      refuse(args, "no key: expected a meta key, key_hex or plaintext, or the option key_list");
    }
    return key;
  }

  Key key_;
};

}  // namespace

STOQ_PLUGIN(Xor)
