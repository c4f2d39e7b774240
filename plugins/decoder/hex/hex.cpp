/// Decodes payloads that are bytes in hex as a whole, and long runs of hex inside others, where a
/// known kind of file or text comes out. See reader.hpp for what hex may look like, judge.hpp for
/// what is worth a payload. Time is linear in the payload: no run is read twice but for its child.
///
/// The dispatch rule's meta:
///   whole   true: the payload is hex, decode it whatever comes out
#include "bytewise.hpp"
#include "judge.hpp"
#include "reader.hpp"
#include "stretch.hpp"

namespace {

constexpr std::size_t stop_interval = 1 << 20;

class Hex : public stoq::Decoder {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    min_bytes_ = options.get<std::size_t>("min_bytes", 32,
                                          "shortest run inside text, in bytes (24 is the least)");
    max_runs_ = options.get<std::size_t>("max_runs", 0, "runs decoded per payload; 0: all");
    if (min_bytes_ * 2 < hex::least_stretch) {
      throw stoq::ConfigError("hex: min_bytes is " + std::to_string(min_bytes_) +
                              ", expected 24 or more");
    }
  }

  void decode(const stoq::Payload& payload, const stoq::Request& request,
              stoq::Children& children) const override {
    const auto text = payload.view();
    const bool is_hex = stoq::common::flag("hex", request.args(), "whole", false);
    if (decode_whole(text, is_hex, request, children) || is_hex) return;
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
    bool mixed;  ///< digits of both kinds, 0 to 9 and above
  };

  /// Decodes a payload of nothing but hex and what separates it.
  static bool decode_whole(stoq::ByteView text, bool is_hex, const stoq::Request& request,
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
    if (is_hex || worth(*run)) produce(text, run->begin, run->bytes, request, children);
    return true;
  }

  /// Whether a payload of nothing but this run is more than a number, a word or a digest.
  static bool worth(const Run& run) {
    constexpr std::size_t least_sensible = 4;
    return run.sensible
               ? run.bytes >= least_sensible
               : run.mixed && run.bytes >= hex::least_stretch / 2 && !hex::is_digest(run.bytes);
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
    const auto share = [&](std::size_t part) { return part * 20 >= reader.count(); };
    return Run{at, reader.end(), reader.count(), hex::has_magic(head) || text_comes_out,
               share(reader.letters()) && share(reader.count() - reader.letters())};
  }

  /// The first run from `at` on in a stretch that is long enough; nothing at the end, or where a
  /// stop was requested.
  static std::optional<Run> next_run(stoq::ByteView text, std::size_t at,
                                     const stoq::Request& request) {
    const hex::Stretches stretches(text);
    while (const auto stretch = stretches.next(at, request)) {
      at = *stretch;
      while (at < text.size() && !begins(text, at)) ++at;
      auto run = best_run(text, at, request);
      if (!run || run->bytes >= hex::least_stretch / 2) return run;
      at = std::max(run->end, at + 1);
    }
    return {};
  }

  /// The run at `at`, or where it makes no sense one that begins a little behind it: the end of a
  /// word before it may pass for a digit or a byte ("d 4d5a", "code: 4d 5a").
  static std::optional<Run> best_run(stoq::ByteView text, std::size_t at,
                                     const stoq::Request& request) {
    auto run = read(text, at, request);
    if (!run || run->sensible || run->bytes < hex::least_stretch / 2) return run;
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
