/// Carves PE files (executables, libraries, drivers) out of whatever surrounds them. Their size is
/// what headers, sections, symbols and signatures take (Microsoft's "PE Format"). A PE at offset 0
/// is the payload itself and is not carved, but what lies inside or behind it is.
#include <algorithm>

#include <stoq/plugin.hpp>

namespace {

constexpr std::size_t dos_header_size = 64;
constexpr std::size_t file_header_size = 24;  // with the signature
constexpr std::size_t section_header_size = 40;
constexpr std::size_t symbol_size = 18;
constexpr std::size_t stop_interval = 1 << 20;

template <std::unsigned_integral T>
T read(stoq::ByteView view, std::size_t offset) {
  return stoq::Cursor(stoq::slice(view, offset, sizeof(T))).le<T>();
}

/// How much of a view a PE file at its beginning takes.
struct Extent {
  std::uint64_t headers;  ///< to the end of the section table: all there
  std::uint64_t size;     ///< as claimed: may be more than there is
};

/// Where in the optional header the data directories begin; nothing when it is none.
std::optional<std::size_t> directories_of(std::uint16_t magic) {
  if (magic == 0x10b) return 96;   // PE32
  if (magic == 0x20b) return 112;  // PE32+
  return {};
}

/// The end of the certificate table, 0 when there is none: the only data directory that holds a
/// file offset, and lies behind all sections.
std::uint64_t certificates_end(stoq::ByteView pe, stoq::ByteView optional_header,
                               std::size_t directories) {
  constexpr std::size_t security = 4;
  constexpr std::size_t entry_size = 8;
  const auto entry = directories + security * entry_size;
  if (!stoq::fits(optional_header, entry, entry_size) ||
      read<std::uint32_t>(optional_header, directories - 4) <= security) {
    return 0;
  }
  const std::size_t offset = read<std::uint32_t>(optional_header, entry);
  const std::size_t size = read<std::uint32_t>(optional_header, entry + 4);
  // WIN_CERTIFICATE: length, revision 1.0 or 2.0, type. Packers leave anything in the directory.
  if (offset == 0 || size < entry_size || !stoq::fits(pe, offset, entry_size)) return 0;
  const auto revision = read<std::uint16_t>(pe, offset + 4);
  return revision == 0x100 || revision == 0x200 ? std::uint64_t{offset} + size : 0;
}

/// The end of the COFF symbols and their strings, 0 when there are none.
std::uint64_t symbols_end(stoq::ByteView pe, std::size_t header, std::uint64_t headers_end) {
  const std::uint64_t offset = read<std::uint32_t>(pe, header + 12);
  const std::uint64_t strings = offset + symbol_size * read<std::uint32_t>(pe, header + 16);
  if (offset < headers_end || strings == offset || !stoq::fits(pe, strings, 4)) return 0;
  const auto size = read<std::uint32_t>(pe, strings);
  return size >= 4 && stoq::fits(pe, strings, size) ? strings + size : strings;
}

/// What the PE file at the beginning of `pe` takes; nothing when there is none. Throws nothing:
/// every "MZ" of every payload comes here.
std::optional<Extent> measure(stoq::ByteView pe) {
  using namespace std::string_view_literals;
  if (pe.size() < dos_header_size) return {};
  const std::size_t header = read<std::uint32_t>(pe, 0x3c);
  if (!stoq::fits(pe, header, file_header_size) ||
      stoq::as_chars(pe.subspan(header, 4)) != "PE\0\0"sv) {
    return {};
  }
  const std::size_t sections = read<std::uint16_t>(pe, header + 6);
  const std::size_t optional_size = read<std::uint16_t>(pe, header + 20);
  const auto optional_at = header + file_header_size;
  const auto table_size = sections * section_header_size;
  if (optional_size < 64 || !stoq::fits(pe, optional_at, optional_size + table_size)) return {};
  const auto optional_header = pe.subspan(optional_at, optional_size);
  const auto directories = directories_of(read<std::uint16_t>(optional_header, 0));
  if (!directories) return {};

  const auto table = pe.subspan(optional_at + optional_size, table_size);
  Extent extent{optional_at + optional_size + table_size, 0};
  extent.size = std::max<std::uint64_t>(extent.headers, read<std::uint32_t>(optional_header, 60));
  for (std::size_t i = 0; i < sections; ++i) {
    const std::uint64_t size = read<std::uint32_t>(table, i * section_header_size + 16);
    const std::uint64_t offset = read<std::uint32_t>(table, i * section_header_size + 20);
    if (size > 0 && offset > 0) extent.size = std::max(extent.size, offset + size);
  }
  extent.size = std::max({extent.size, certificates_end(pe, optional_header, *directories),
                          symbols_end(pe, header, extent.headers)});
  return extent;
}

class Pe : public stoq::Carver {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void carve(const stoq::Payload& payload, const stoq::Request& request,
             stoq::Children& children) const override {
    const auto view = payload.view();
    const auto text = stoq::as_chars(view);
    std::size_t looked = 0;
    for (std::size_t at = text.find("MZ", 1); at < text.size();) {
      if (at - looked >= stop_interval) {
        if (request.stop_requested()) return;
        looked = at;
      }
      const auto extent = measure(view.subspan(at));
      if (!extent) {
        at = text.find("MZ", at + 2);
        continue;
      }
      const auto size = std::min<std::uint64_t>(extent->size, view.size() - at);
      stoq::ChildInfo info{.offset = at};
      if (size < extent->size) {
        info.meta = {{"truncated", true}, {"claimed_size", extent->size}};
      }
      children.emit(payload.bytes.slice(at, size), std::move(info));
      // What it holds in turn is found when the child is carved: no byte is carved twice here.
      at = text.find("MZ", at + size);
    }
  }
};

}  // namespace

STOQ_PLUGIN(Pe)
