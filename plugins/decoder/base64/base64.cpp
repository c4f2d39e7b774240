/// Decodes payloads that are base64 as a whole, and long runs of base64 inside others. A run is a
/// stretch of one alphabet (RFC 4648, section 4 or 5), over as many lines of equal width as it has
/// (RFC 2045, section 6.8), also where the line ends are written \n or \r\n as in JSON. Time is
/// linear in the payload: no run is looked at twice. A rule may set `alphabet` to the two
/// characters that stand for 62 and 63 in a payload that is base64 as a whole.
#include "judge.hpp"

namespace {

using base64::kind;

/// Every run has at least this many characters in a row: the scan looks at one byte in so many.
constexpr std::size_t least_stretch = 32;
constexpr std::size_t least_whole = 8;
constexpr std::size_t stop_interval = 1 << 20;

bool is_blank(std::byte byte) { return byte == std::byte{' '} || byte == std::byte{'\t'}; }

/// Finds runs, from front to back.
class Runs {
 public:
  struct Run {
    std::size_t begin, end;  ///< with padding
    std::size_t characters;  ///< without padding and line ends
  };

  explicit Runs(stoq::ByteView text) noexcept : text_(text) {}

  /// The next run; nothing at the end, or where a stop was requested.
  std::optional<Run> next(const stoq::Request& request) {
    auto looked = at_;
    while (text_.size() - at_ >= least_stretch) {
      if (at_ - looked >= stop_interval) {
        if (request.stop_requested()) return {};
        looked = at_;
      }
      auto probe = at_ + least_stretch;
      while (probe > at_ && kind(text_[probe - 1]) != 0) --probe;
      if (probe > at_) {
        at_ = probe;
        continue;
      }
      // Where the other alphabet begins, so does the next run: nothing is probed twice.
      do {
        alphabet_ = 0;
        const auto end = stretch(at_);
        if (end - at_ >= least_stretch) return lines(end);
        at_ = end;
      } while (has(at_) && kind(text_[at_]) != 0 && at_ - looked < stop_interval);
    }
    return {};
  }

 private:
  /// The end of what is in one alphabet from `at`; the first '+', '/', '-' or '_' decides which.
  std::size_t stretch(std::size_t at) {
    constexpr unsigned special = base64::standard | base64::url;
    for (; at < text_.size(); ++at) {
      const auto is = kind(text_[at]);
      if (is == 0) break;
      if ((is & special) == 0) continue;
      if (alphabet_ != 0 && (is & alphabet_) == 0) break;
      alphabet_ = is & special;
    }
    return at;
  }

  /// Where the line after the line end at `at` begins; `at` when there is none.
  std::size_t behind_line_end(std::size_t at) const {
    auto next = at;
    while (has(next) && is_blank(text_[next])) ++next;
    const bool escaped = has(next + 1) && text_[next] == std::byte{'\\'};
    if (escaped) {
      if (text_[next + 1] == std::byte{'r'} && has(next + 3) && text_[next + 2] == std::byte{'\\'})
        next += 2;
      if (text_[next + 1] != std::byte{'n'}) return at;
      next += 2;
    } else {
      if (has(next) && text_[next] == std::byte{'\r'}) ++next;
      if (!has(next) || text_[next] != std::byte{'\n'}) return at;
      ++next;
    }
    while (has(next) && is_blank(text_[next])) ++next;
    return next;
  }

  /// The run whose first line ends at `end`, with the lines that belong to it.
  Run lines(std::size_t end) {
    Run run{at_, end, end - at_};
    std::size_t width = 0;
    while (run.end < text_.size() && text_[run.end] != std::byte{'='}) {
      const auto begin = behind_line_end(run.end);
      if (begin == run.end || begins_boundary(begin)) break;
      const auto line_end = stretch(begin);
      const auto length = line_end - begin;
      if (width == 0) {
        // A first line may be shorter only where something stands before it on that line.
        const bool full = run.begin == 0 || text_[run.begin - 1] == std::byte{'\n'};
        width = full ? run.characters : std::max(length, run.characters);
      }
      if (length == 0 || length > width || !ends_line(line_end)) break;
      run.end = line_end;
      run.characters += length;
      if (length < width) break;
    }
    for (int i = 0; i < 2 && has(run.end) && text_[run.end] == std::byte{'='}; ++i) ++run.end;
    at_ = run.end;
    return run;
  }

  /// A MIME boundary or PEM line begins with "--".
  bool begins_boundary(std::size_t at) const {
    return has(at + 1) && text_[at] == std::byte{'-'} && text_[at + 1] == std::byte{'-'};
  }
  /// Whether a line of base64 may end at `at`: not in the middle of a sentence.
  bool ends_line(std::size_t at) const {
    constexpr std::string_view ends = "=\"'<";
    return !has(at) || ends.find(stoq::as_chars(text_.subspan(at, 1))) != ends.npos ||
           behind_line_end(at) != at;
  }
  bool has(std::size_t at) const { return at < text_.size(); }

  stoq::ByteView text_;
  std::size_t at_ = 0;
  unsigned alphabet_ = 0;
};

class Base64 : public stoq::Decoder {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    min_length_ = options.get<std::size_t>(
        "min_length", 64, "shortest run inside text, in characters (32 is the least)");
    max_runs_ = options.get<std::size_t>("max_runs", 0, "runs decoded per payload; 0: all");
    if (min_length_ < least_stretch) {
      throw stoq::ConfigError("base64: min_length is " + std::to_string(min_length_) +
                              ", expected 32 or more");
    }
  }

  void decode(const stoq::Payload& payload, const stoq::Request& request,
              stoq::Children& children) const override {
    const auto text = payload.view();
    if (decode_whole(text, request, children)) return;
    Runs runs(text);
    std::size_t found = 0;
    while (max_runs_ == 0 || found < max_runs_) {
      const auto run = runs.next(request);
      if (!run) return;
      const auto part = text.subspan(run->begin, run->end - run->begin);
      // No bytes have 4 n + 1 characters.
      if (run->characters < min_length_ || run->characters % 4 == 1 || !base64::is_base64(part))
        continue;
      ++found;
      produce(part, run->begin, run->characters, request, children);
    }
  }

 private:
  /// Decodes a payload of nothing but base64 and white space.
  static bool decode_whole(stoq::ByteView text, const stoq::Request& request,
                           stoq::Children& children) {
    const auto wanted = request.args().text("alphabet");
    const auto whole = look_at_whole(text, "+/-_.!" + std::string(wanted), request);
    if (!whole || whole->characters + whole->padding < least_whole) return false;
    const auto part = text.subspan(whole->begin);
    const bool padded =
        whole->padding > 0 && whole->padding < 3 && (whole->characters + whole->padding) % 4 == 0;
    if (std::string_view("+/ /+ -_ _-").find(whole->specials) != std::string_view::npos &&
        wanted.empty()) {
      if (!padded && !base64::is_base64(part)) return false;
      produce(part, whole->begin, whole->characters, request, children);
      return true;
    }
    const auto specials = wanted.empty() ? variant(whole->specials) : wanted;
    if (specials.size() != 2) return false;
    const auto alphabet = base64::alphabet_with(specials);
    if (wanted.empty() &&
        !(base64::Statistics(part).mixed() && (padded || base64::makes_sense(part, alphabet))))
      return false;
    produce(part, whole->begin, whole->characters, request, children, alphabet);
    return true;
  }

  struct Whole {
    std::size_t characters = 0, padding = 0, begin = 0;
    std::string specials = {};  ///< the (at most two) characters met that are no letters or digits
  };

  /// What a payload consists of; nothing when it cannot be base64 as a whole.
  static std::optional<Whole> look_at_whole(stoq::ByteView text, std::string_view allowed,
                                            const stoq::Request& request) {
    Whole whole{.begin = text.size()};
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (i % stop_interval == stop_interval - 1 && request.stop_requested()) return {};
      const auto is = kind(text[i]);
      const auto character = static_cast<char>(text[i]);
      if (is == 0 && (is_blank(text[i]) || character == '\n' || character == '\r')) continue;
      if (character == '=' && whole.characters > 0) {
        ++whole.padding;
        continue;
      }
      if ((is & (base64::upper | base64::lower | base64::digit)) == 0) {
        if (allowed.find(character) == allowed.npos) return {};
        if (whole.specials.find(character) == whole.specials.npos) whole.specials += character;
        if (whole.specials.size() > 2) return {};
      }
      if (whole.characters++ == 0) whole.begin = i;
    }
    return whole;
  }

  /// The alphabet in use outside RFC 4648 (XML name tokens, identifiers, regular expressions) that
  /// has just these two special characters, in the order of their values.
  static std::string_view variant(std::string_view met) {
    for (const std::string_view specials : {".-", "._", "!-"}) {
      if (met.size() == 2 && met.find(specials[0]) != met.npos &&
          met.find(specials[1]) != met.npos) {
        return specials;
      }
    }
    return {};
  }

  static void produce(stoq::ByteView text, std::size_t offset, std::size_t characters,
                      const stoq::Request& request, stoq::Children& children,
                      const base64::Alphabet& alphabet = base64::tables.sextet) {
    constexpr std::size_t block = 49152;
    stoq::ChildInfo info{.offset = offset, .keep_prefix = true};
    const auto size = characters / 4 * 3 + characters % 4 * 3 / 4;
    children.produce(std::move(info), size, [&](stoq::Buffer& bytes) {
      base64::Codec codec(text, alphabet);
      while (!codec.done() && !request.stop_requested()) {
        if (bytes.remaining() < 3) {  // the codec writes three at a time
          std::array<std::byte, 3> last{};
          bytes.append(std::span(last).first(codec.decode(last)));
        } else {
          bytes.commit(codec.decode(bytes.prepare(std::min({block, size + 3, bytes.remaining()}))));
        }
      }
    });
  }

  std::size_t min_length_ = 64;
  std::size_t max_runs_ = 0;
};

}  // namespace

STOQ_PLUGIN(Base64)
