/// Carves Flash files (Adobe's "SWF File Format Specification", chapter 2) and decompresses them:
/// what comes out begins with FWS, whatever the file was. FWS is cut out as it is; CWS is zlib,
/// ZWS is LZMA. An FWS that is the whole payload is not carved again.
///
/// Three letters are soon found by chance: a candidate is looked at by its version, its stream's
/// header and the frame's rectangle behind a few inflated bytes before anything is made of it.
#include "inflate.hpp"

namespace {

constexpr std::size_t header_size = 8;
constexpr std::size_t least_size = header_size + 6;  // a rectangle, frame rate, frame count
constexpr std::size_t stop_interval = 1 << 20;
constexpr unsigned last_version = 60;

/// Whether `body`, what stands behind the header, begins with a rectangle whose corners are in
/// order: a count of bits, then x and y from and to, in as many bits each, signed.
bool has_frame(stoq::ByteView body) {
  if (body.empty()) return false;
  const auto bits = std::to_integer<std::size_t>(body[0]) >> 3;
  if (!stoq::fits(body, 0, (5 + 4 * bits + 7) / 8 + 4)) return false;
  std::array<std::int64_t, 4> corners{};
  for (std::size_t i = 0; i < 4 * bits; ++i) {
    const auto at = 5 + i;
    const auto bit = std::to_integer<unsigned>(body[at / 8]) >> (7 - at % 8) & 1;
    auto& corner = corners[i / bits];
    corner = i % bits == 0 ? -std::int64_t{bit} : corner * 2 + bit;
  }
  return corners[0] <= corners[1] && corners[2] <= corners[3];
}

/// A Flash file in the payload.
class Candidate {
 public:
  /// `view` begins with the three letters.
  explicit Candidate(stoq::ByteView view) noexcept : view_(view) {}

  /// Whether this is one: cheap where it is not.
  [[nodiscard]] bool is_swf() {
    if (view_.size() < least_size) return false;
    const auto version = std::to_integer<unsigned>(view_[3]);
    if (version == 0 || version > last_version || size() < least_size) return false;
    switch (letter()) {
      case 'F':
        return stoq::fits(view_, 0, size()) && has_frame(view_.subspan(header_size));
      case 'C':
        return swf::is_zlib(packed()) && begins_well();
      default:
        return view_.size() > swf::lzma_header_size && swf::is_lzma(view_) && begins_well();
    }
  }

  [[nodiscard]] bool is_packed() const { return letter() != 'F'; }
  [[nodiscard]] char letter() const { return static_cast<char>(view_[0]); }
  /// Uncompressed, with the header, as claimed.
  [[nodiscard]] std::size_t size() const {
    return stoq::Cursor(view_.subspan(4, 4)).le<std::uint32_t>();
  }

  /// Writes the uncompressed file; says how much of the payload it took, through `taken`, even
  /// where it throws.
  void unpack(stoq::Buffer& buffer, const stoq::Request& request, std::size_t& taken) const {
    buffer.append(stoq::as_bytes("FWS"));
    buffer.append(view_.subspan(3, 5));
    const auto stream = open(std::min(size() - header_size, buffer.remaining()));
    while (!stream->ended() && !request.stop_requested()) {
      constexpr std::size_t block = 65536;
      const auto most = std::max<std::size_t>(buffer.remaining(), 1);
      const auto made = stream->read(buffer.prepare(std::min(block, most)));
      taken = header_size + stream->taken();
      buffer.commit(made);
    }
    if (!stream->problem().empty()) {
      throw stoq::MalformedInput("Flash: " + std::string(stream->problem()) + " after " +
                                 std::to_string(buffer.size()) + " of " + std::to_string(size()) +
                                 " bytes");
    }
  }

 private:
  [[nodiscard]] stoq::ByteView packed() const { return view_.subspan(header_size); }

  [[nodiscard]] std::unique_ptr<swf::Stream> open(std::size_t dictionary) const {
    if (letter() == 'C') return swf::open_zlib(packed());
    return swf::open_lzma(packed(), size() - header_size, dictionary);
  }

  /// Whether the first bytes inflate, to what begins a Flash file.
  [[nodiscard]] bool begins_well() const {
    std::array<std::byte, 24> head{};
    Candidate first(view_.first(std::min<std::size_t>(view_.size(), 1024)));
    const auto stream = first.open(head.size());
    const auto made = stream->read(head);
    return has_frame(stoq::ByteView(head).first(made));
  }

  stoq::ByteView view_;
};

class Swf : public stoq::Carver {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void carve(const stoq::Payload& payload, const stoq::Request& request,
             stoq::Children& children) const override {
    const auto view = payload.view();
    const auto text = stoq::as_chars(view);
    std::size_t looked = 0;
    for (auto found = text.find("WS", 1); found < text.size();) {
      if (found - looked >= stop_interval) {
        if (request.stop_requested()) return;
        looked = found;
      }
      const auto at = found - 1;
      auto taken = std::size_t{3};
      if (std::string_view("FCZ").find(text[at]) != std::string_view::npos) {
        if (Candidate swf(view.subspan(at)); swf.is_swf()) {
          taken = bring_out(payload, at, swf, request, children);
        }
      }
      // What is inside is found when the child is carved: nothing is inflated twice here.
      found = text.find("WS", std::min(at + taken + 1, text.size()));
    }
  }

 private:
  /// Says how many bytes of the payload are done with.
  static std::size_t bring_out(const stoq::Payload& payload, std::size_t at, const Candidate& swf,
                               const stoq::Request& request, stoq::Children& children) {
    constexpr std::size_t magic_size = 3;
    stoq::ChildInfo info{.offset = at, .keep_prefix = true};
    if (!swf.is_packed()) {
      if (at == 0 && swf.size() == payload.bytes.size()) return magic_size;
      children.emit(payload.bytes.slice(at, swf.size()), std::move(info));
      return swf.size();
    }
    info.meta = {{"compression", swf.letter() == 'C' ? "zlib" : "lzma"}};
    std::size_t taken = magic_size;
    children.produce(std::move(info), swf.size(),
                     [&](stoq::Buffer& buffer) { swf.unpack(buffer, request, taken); });
    return taken;
  }
};

}  // namespace

STOQ_PLUGIN(Swf)
