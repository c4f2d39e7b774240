#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "formats.hpp"

// ECMA-119 (volume descriptors, directory records), IEEE P1281 (SUSP, the CE entry).

namespace archive_plugin {

namespace {

using stoq::ByteView;
using stoq::Cursor;
using stoq::MalformedInput;

constexpr std::size_t sector = 2048;

template <class T>
T little(ByteView view, std::size_t at) {
  return Cursor(view.subspan(at)).le<T>();
}

/// Where a directory lies.
struct Extent {
  std::size_t at = 0;
  std::size_t size = 0;
};

/// Goes through all directories of an image. What is read is counted and may not exceed the image:
/// neither directories nor continuation areas overlap in one that is whole.
class Walk {
 public:
  Walk(ByteView image, const stoq::Request& request) noexcept : image_(image), request_(request) {}

  void check() {
    constexpr std::size_t first = 16;
    constexpr std::size_t most = 64;
    constexpr std::size_t root_record = 156;
    for (std::size_t i = first; i < first + most; ++i) {
      if (!stoq::fits(image_, i * sector, sector)) break;
      const auto descriptor = image_.subspan(i * sector, sector);
      if (stoq::as_chars(descriptor.subspan(1, 5)) != "CD001") break;
      const auto type = std::to_integer<unsigned>(descriptor[0]);
      if (type == 255) break;  // the set's terminator
      if (type != 1 && type != 2) continue;
      block_ = little<std::uint16_t>(descriptor, 128);
      if (block_ == 0) continue;
      at_root_ = true;
      enter(descriptor.subspan(root_record));
      while (!pending_.empty() && !request_.stop_requested()) {
        const auto next = pending_.back();
        pending_.pop_back();
        check_directory(next);
        at_root_ = false;
      }
    }
  }

 private:
  /// Notes the directory that `record` names, once.
  void enter(ByteView record) {
    const std::size_t at = std::size_t{little<std::uint32_t>(record, 2)} * block_;
    const std::size_t claimed = little<std::uint32_t>(record, 10);
    if (at >= image_.size() || !seen_.insert(at).second) return;
    pending_.push_back({at, std::min(claimed, image_.size() - at)});
  }

  void check_directory(const Extent& directory) {
    constexpr std::size_t least_record = 34;
    spend(directories_, directory.size, directory.at, "directories");
    for (std::size_t from = 0; from < directory.size; from += block_) {
      if (request_.stop_requested()) return;
      auto block = image_.subspan(directory.at + from, std::min(block_, directory.size - from));
      while (!block.empty()) {
        const auto size = std::to_integer<std::size_t>(block[0]);
        if (size < least_record || size > block.size()) break;
        check_record(block.first(size), directory.at + from);
        block = block.subspan(size);
        at_root_ = false;
      }
    }
  }

  void check_record(ByteView record, std::size_t near) {
    constexpr std::size_t name_at = 33;
    constexpr unsigned directory_flag = 2;
    const auto name_size = std::to_integer<std::size_t>(record[32]);
    // "." and ".." are written as one byte, 0 and 1; those of the root alone say anything new.
    const bool self = name_size == 1 && std::to_integer<unsigned>(record[name_at]) <= 1;
    if (self && !at_root_) return;
    const std::size_t behind = name_at + name_size + (name_size % 2 == 0 ? 1 : 0);
    if (behind < record.size()) check_system_use(record.subspan(behind), near);
    if (!self && (std::to_integer<unsigned>(record[25]) & directory_flag) != 0) enter(record);
  }

  void check_system_use(ByteView area, std::size_t near) {
    constexpr std::string_view sharing("SP\x07\x01\xbe\xef", 6);
    if (at_root_ && area.size() > sharing.size() &&
        stoq::as_chars(area.first(sharing.size())) == sharing) {
      skip_ = std::to_integer<std::size_t>(area[sharing.size()]);
      sharing_ = true;
      area = area.subspan(sharing.size() + 1);
    }
    if (sharing_ && skip_ < area.size()) follow(area.subspan(skip_), near);
  }

  /// Reads the entries of `area` and of all areas they go on in.
  void follow(ByteView area, std::size_t near) {
    constexpr std::size_t most_areas = 256;  // a name of 255 bytes needs one
    std::vector<Extent> next;
    std::vector<std::size_t> been;
    find_continuations(area, next);
    while (!next.empty()) {
      const auto extent = next.back();
      next.pop_back();
      if (std::find(been.begin(), been.end(), extent.at) != been.end()) {
        throw MalformedInput("iso: Rock Ridge continuation area loops at offset " +
                             std::to_string(extent.at));
      }
      if (been.size() == most_areas) {
        throw MalformedInput("iso: a record near offset " + std::to_string(near) + " has over " +
                             std::to_string(most_areas) + " Rock Ridge continuation areas");
      }
      been.push_back(extent.at);
      if (!stoq::fits(image_, extent.at, extent.size)) continue;  // libarchive refuses it
      spend(continuations_, extent.size, extent.at, "Rock Ridge continuation areas");
      find_continuations(image_.subspan(extent.at, extent.size), next);
    }
  }

  void find_continuations(ByteView area, std::vector<Extent>& found) const {
    constexpr std::size_t header = 4;
    constexpr std::size_t continuation = 28;
    while (area.size() >= header) {
      const auto name = stoq::as_chars(area.first(2));
      const auto size = std::to_integer<std::size_t>(area[2]);
      if (size < header || size > area.size() || name == "ST") return;
      if (name == "CE" && size == continuation) {
        found.push_back(
            {std::size_t{little<std::uint32_t>(area, 4)} * block_ + little<std::uint32_t>(area, 12),
             little<std::uint32_t>(area, 20)});
      }
      area = area.subspan(size);
    }
  }

  /// Counts `size` bytes at `at` to what was read of `what`.
  void spend(std::size_t& sum, std::size_t size, std::size_t at, const char* what) const {
    if (size > image_.size() - sum) {
      throw MalformedInput("iso: " + std::string(what) + " overlap, such as the one at offset " +
                           std::to_string(at));
    }
    sum += size;
  }

  ByteView image_;
  const stoq::Request& request_;
  std::size_t block_ = sector;
  std::size_t skip_ = 0;  ///< bytes before the entries in each record, as SP says
  bool sharing_ = false;  ///< SP was there: records have entries
  bool at_root_ = false;  ///< the next record is the first of a root directory
  std::size_t directories_ = 0;
  std::size_t continuations_ = 0;
  std::unordered_set<std::size_t> seen_;
  std::vector<Extent> pending_;
};

}  // namespace

bool is_iso(ByteView image) noexcept {
  constexpr std::size_t magic_at = 16 * sector + 1;
  return stoq::fits(image, magic_at, 5) && stoq::as_chars(image.subspan(magic_at, 5)) == "CD001";
}

void check_iso(ByteView image, const stoq::Request& request) { Walk(image, request).check(); }

}  // namespace archive_plugin
