/// Decodes payloads that are bytes in hex as a whole, whatever comes out, and long runs of hex
/// inside others, where a known kind of file or text comes out. See reader.hpp for what hex may
/// look like. Time is linear in the payload: no run is read twice but for its child.
#include "judge.hpp"
#include "reader.hpp"

namespace {

constexpr std::size_t stop_interval = 1 << 20;
/// Fewer characters hold no run that is looked for: the scan looks at one character in so many.
constexpr std::size_t least_stretch = 48;

class Hex : public stoq::Decoder {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    min_bytes_ = options.get<std::size_t>("min_bytes", 32,
                                          "shortest run inside text, in bytes (24 is the least)");
    max_runs_ = options.get<std::size_t>("max_runs", 0, "runs decoded per payload; 0: all");
    if (min_bytes_ * 2 < least_stretch) {
      throw stoq::ConfigError("hex: min_bytes is " + std::to_string(min_bytes_) +
                              ", expected 24 or more");
    }
  }

  void decode(const stoq::Payload& payload, const stoq::Request& request,
              stoq::Children& children) const override {
    const auto text = payload.view();
    if (decode_whole(text, request, children)) return;
    std::size_t found = 0;
    for (std::size_t at = 0; max_runs_ == 0 || found < max_runs_;) {
      const auto run = next_run(text, at, request);
      if (!run) return;
      at = run->end;
      if (run->bytes < min_bytes_ || !run->sensible) continue;
      ++found;
      produce(text, run->begin, run->bytes, request, children);
    }
  }

 private:
  struct Run {
    std::size_t begin, end, bytes;
    bool sensible;
  };

  /// Decodes a payload of nothing but hex and what separates it.
  static bool decode_whole(stoq::ByteView text, const stoq::Request& request,
                           stoq::Children& children) {
    std::size_t at = 0;
    while (at < text.size() && (hex::kind(text[at]) & (hex::blank | hex::quote)) != 0) ++at;
    const auto run = read(text, at, request);
    if (!run || run->bytes == 0) return false;
    auto end = run->end;
    // Half a byte at the end, of one that was cut.
    if (end < text.size() && (hex::kind(text[end]) & hex::digit) != 0) ++end;
    while (end < text.size() && (hex::kind(text[end]) & ~unsigned{hex::digit}) != 0) ++end;
    if (end < text.size()) return false;
    produce(text, run->begin, run->bytes, request, children);
    return true;
  }

  /// The run that begins at `at`; nothing where a stop was requested.
  static std::optional<Run> read(stoq::ByteView text, std::size_t at,
                                 const stoq::Request& request) {
    hex::Reader reader(text, at);
    std::string head;
    while (const auto byte = reader.next()) {
      if (head.size() < hex::sample_size) head += static_cast<char>(*byte);
      if (reader.count() % stop_interval == 0 && request.stop_requested()) return {};
    }
    // Text has its l, m, n, o; a table of decimal numbers has none.
    const bool text_comes_out = reader.letters() > 0 && hex::is_text(head);
    return Run{at, reader.end(), reader.count(), hex::has_magic(head) || text_comes_out};
  }

  /// The first run from `at` on in a stretch that is long enough; nothing at the end, or where a
  /// stop was requested.
  static std::optional<Run> next_run(stoq::ByteView text, std::size_t at,
                                     const stoq::Request& request) {
    auto looked = at;
    while (at <= text.size() && text.size() - at >= least_stretch) {
      if (at - looked >= stop_interval) {
        if (request.stop_requested()) return {};
        looked = at;
      }
      auto probe = at + least_stretch;
      while (probe > at && hex::kind(text[probe - 1]) != 0) --probe;
      if (probe > at) {
        at = probe;
        continue;
      }
      while (at < text.size() && !begins(text, at)) ++at;
      auto run = best_run(text, at, request);
      if (!run || run->bytes >= least_stretch / 2) return run;
      at = std::max(run->end, at + 1);
    }
    return {};
  }

  /// The run at `at`, or where it makes no sense one that begins a little behind it: the end of a
  /// word before it may pass for a digit or a byte ("d 4d5a", "code: 4d 5a").
  static std::optional<Run> best_run(stoq::ByteView text, std::size_t at,
                                     const stoq::Request& request) {
    auto run = read(text, at, request);
    if (!run || run->sensible || run->bytes < least_stretch / 2) return run;
    auto word = at;
    while (word < run->end && (hex::kind(text[word]) & hex::digit) != 0) ++word;
    while (word < run->end && !begins(text, word)) ++word;
    for (const auto other : {at + 1, word}) {
      if (other >= run->end || !begins(text, other)) continue;
      auto tried = read(text, other, request);
      if (!tried || tried->sensible) return tried;
    }
    return run;
  }

  static bool begins(stoq::ByteView text, std::size_t at) {
    const bool digit = (hex::kind(text[at]) & hex::digit) != 0;
    return digit || text[at] == std::byte{'\\'};
  }

  static void produce(stoq::ByteView text, std::size_t begin, std::size_t bytes,
                      const stoq::Request& request, stoq::Children& children) {
    constexpr std::size_t block_size = 65536;
    stoq::ChildInfo info{.offset = begin, .keep_prefix = true};
    children.produce(std::move(info), bytes, [&](stoq::Buffer& buffer) {
      hex::Reader reader(text, begin);
      while (reader.count() < bytes && !request.stop_requested()) {
        const auto most = std::max<std::size_t>(buffer.remaining(), 1);
        const auto room = buffer.prepare(std::min({bytes - reader.count(), block_size, most}));
        for (auto& byte : room) byte = reader.next().value_or(std::byte{});
        buffer.commit(room.size());
      }
    });
  }

  std::size_t min_bytes_ = 32;
  std::size_t max_runs_ = 0;
};

}  // namespace

STOQ_PLUGIN(Hex)
