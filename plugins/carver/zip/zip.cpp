/// Carves zip archives out of anything: self-extractors, documents, images with something behind
/// them, disk images. An archive is found by its end record, and begins where its directory says
/// that the first local header is. They are looked for from the back, as programs that open zip
/// files do, and share no bytes: what lies inside another's members is found when those are
/// scanned. Where no end record leads to a directory, the last likely one and the first likely
/// local header before it are taken for a damaged archive (`damaged` in its origin).
///
/// The dispatch rule's metas:
///   leave_last  true: leave the last archive to extractor:zip, which opens a payload that begins
///   as
///               a zip file by it
///   at_end      true: only an archive that ends exactly where the payload does
#include <algorithm>
#include <array>
#include <numeric>

#include <stoq/plugin.hpp>

#include "directory.hpp"
#include "layout.hpp"

namespace {

using stoq::common::zip::end_magic;
using stoq::common::zip::end_size;

/// Finds end records, from the back to the front.
class EndRecords {
 public:
  explicit EndRecords(stoq::ByteView payload) noexcept
      : payload_(payload), block_(payload.size()) {}

  /// The last one that begins before `limit`, which must not grow from call to call; nothing at
  /// the front, or where a stop was requested.
  std::optional<std::size_t> before(std::size_t limit, const stoq::Request& request) {
    for (;;) {
      while (!found_.empty()) {
        const auto at = found_.back();
        found_.pop_back();
        if (at < limit) return at;
      }
      if (block_ == 0 || request.stop_requested()) return {};
      const auto end = std::min(block_, limit);
      block_ = end - std::min(end, block_size);
      collect(block_, end);
    }
  }

 private:
  static constexpr std::size_t block_size = std::size_t{1} << 18;

  /// Those that begin in [begin, end).
  void collect(std::size_t begin, std::size_t end) {
    constexpr std::size_t step = 64;
    auto at = begin;
    for (; at < end && stoq::fits(payload_, at, step + 1); at += step) {
      const auto here = payload_.subspan(at, step + 1);
      std::array<unsigned char, step> hits{};  // rounds without a branch: the compiler's vectors
      for (std::size_t i = 0; i < step; ++i) {
        const auto miss = (here[i] ^ std::byte{'P'}) | (here[i + 1] ^ std::byte{'K'});
        hits[i] = miss == std::byte{} ? 1 : 0;
      }
      if (std::accumulate(hits.begin(), hits.end(), 0U) == 0) continue;
      for (std::size_t i = 0; i < step; ++i) {
        if (hits[i] != 0) add(at + i, end);
      }
    }
    for (; at < end; ++at) add(at, end);
  }

  void add(std::size_t at, std::size_t end) {
    if (at >= end || !stoq::fits(payload_, at, end_size)) return;
    if (stoq::as_chars(payload_.subspan(at, 4)) == end_magic) found_.push_back(at);
  }

  stoq::ByteView payload_;
  std::vector<std::size_t> found_;  ///< of one block
  std::size_t block_;               ///< all behind it was looked at
};

class Zip : public stoq::Carver {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void carve(const stoq::Payload& payload, const stoq::Request& request,
             stoq::Children& children) const override {
    const bool leave_last = flag(request.args(), "leave_last");
    const auto view = payload.view();
    auto claims = flag(request.args(), "at_end") ? find_at_end(view) : find(view, request);
    if (leave_last && !claims.empty()) claims.erase(claims.begin());
    std::reverse(claims.begin(), claims.end());
    for (const auto& claim : claims) {
      if (claim.begin == 0 && claim.end == view.size()) continue;  // the payload itself
      stoq::ChildInfo info{.offset = claim.begin};
      if (claim.damaged) info.meta = {{"damaged", true}};
      children.emit(payload.bytes.slice(claim.begin, claim.end - claim.begin), std::move(info));
    }
  }

 private:
  static bool flag(const stoq::Value& args, std::string_view key) {
    const auto* set = args[key].get_if<bool>();
    if (set == nullptr && !args[key].is_null()) {
      throw stoq::MalformedInput("zip: rule '" + std::string(args.text("rule", "?")) +
                                 "': " + std::string(key) + " is not true or false");
    }
    return set != nullptr && *set;
  }

  /// All archives, the last one first.
  static std::vector<carve::Claim> find(stoq::ByteView view, const stoq::Request& request) {
    std::vector<carve::Claim> claims;
    std::optional<std::size_t> last;
    carve::Archives archives(view);
    EndRecords records(view);
    auto limit = view.size();
    for (auto next = limit; const auto end = records.before(next, request);) {
      next = *end;
      if (!last) last = end;
      if (const auto claim = archives.at(*end, limit)) {
        claims.push_back(*claim);
        next = limit = claim->begin;
      }
    }
    if (claims.empty() && last) {
      if (const auto claim = archives.damaged_at(*last, 0, view.size())) claims.push_back(*claim);
    }
    return claims;
  }

  static std::vector<carve::Claim> find_at_end(stoq::ByteView view) {
    if (view.size() < end_size) return {};
    const auto end = view.size() - end_size;
    if (stoq::as_chars(view.subspan(end, 4)) != end_magic) return {};
    const auto claim = carve::Archives(view).at(end, view.size());
    return claim ? std::vector{*claim} : std::vector<carve::Claim>{};
  }
};

}  // namespace

STOQ_PLUGIN(Zip)
