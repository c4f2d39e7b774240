#include "engine/plugin_library.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stoq::engine {
namespace {

constexpr std::string_view symbol_name = "stoq_plugin";
constexpr std::string_view own_toolchain = "g++ " __VERSION__;
static_assert(offsetof(PluginDescriptor, magic) == 0 && offsetof(PluginDescriptor, abi) == 4 &&
                  offsetof(PluginDescriptor, layout) == 8 &&
                  offsetof(PluginDescriptor, toolchain) == 16,
              "magic, abi and layout keep their places in every version of the interface");

/// A file mapped for reading.
class Mapping {
 public:
  explicit Mapping(const std::filesystem::path& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) fail(path);
    struct stat status {};
    if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      address_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    close(file);
    if (address_ == MAP_FAILED) fail(path);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (address_ != nullptr) munmap(address_, size_);
  }
  /// Empty when this is no regular file.
  [[nodiscard]] ByteView view() const noexcept {
    return {static_cast<const std::byte*>(address_), address_ == nullptr ? 0 : size_};
  }

 private:
  [[noreturn]] static void fail(const std::filesystem::path& path) {
    throw IoError(path.string() + ": plugin cannot be read: " + std::strerror(errno) +
                  "; build or install it again, or let this user read it");
  }
  std::size_t size_ = 0;
  void* address_ = nullptr;
};

/// What the descriptor says before anything is relocated.
struct Claim {
  std::uint32_t magic;
  std::uint32_t abi;
  std::uint64_t layout;
  std::uint8_t category;
  std::string toolchain;  ///< empty when it cannot be told
};

/// Looks into a 64-bit little-endian ELF shared object. Throws MalformedInput.
/// https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
class ElfFile {
 public:
  explicit ElfFile(ByteView file) : file_(file) {
    header_ = read<Elf64_Ehdr>(0);
    if (std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0) throw MalformedInput("no ELF file");
    if (header_.e_ident[EI_CLASS] != ELFCLASS64 || header_.e_ident[EI_DATA] != ELFDATA2LSB ||
        header_.e_type != ET_DYN) {
      throw MalformedInput("no 64-bit shared library");
    }
    if (header_.e_machine != own_machine) throw MalformedInput("built for another processor");
    (void)entry(header_.e_shoff, header_.e_shentsize, header_.e_shnum);
    // A library cut short would raise SIGBUS once it is mapped and touched.
    for (std::size_t i = 0; i < header_.e_phnum; ++i) {
      const auto segment = program_header(i);
      if (segment.p_type == PT_LOAD) (void)slice(file_, segment.p_offset, segment.p_filesz);
    }
  }

  /// The descriptor, or nothing when the library exports none.
  [[nodiscard]] std::optional<Claim> find_claim() const {
    for (std::size_t i = 0; i < header_.e_shnum; ++i) {
      const auto section = section_header(i);
      if (section.sh_type != SHT_DYNSYM) continue;
      const auto names = section_header(section.sh_link);
      const auto symbols = slice(file_, section.sh_offset, section.sh_size);
      (void)slice(file_, names.sh_offset, names.sh_size);
      for (std::size_t at = 0; fits(symbols, at, sizeof(Elf64_Sym)); at += sizeof(Elf64_Sym)) {
        const auto symbol = read<Elf64_Sym>(section.sh_offset + at);
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_name >= names.sh_size) continue;
        if (text_at(names.sh_offset + symbol.st_name) == symbol_name) return claim_at(symbol);
      }
    }
    return {};
  }

 private:
#if defined(__x86_64__)
  static constexpr Elf64_Half own_machine = EM_X86_64;
#elif defined(__aarch64__)
  static constexpr Elf64_Half own_machine = EM_AARCH64;
#else
#error "name the ELF machine of this processor here"
#endif

  template <class T>
  [[nodiscard]] T read(std::size_t offset) const {
    T value{};
    std::memcpy(&value, slice(file_, offset, sizeof(T)).data(), sizeof(T));
    return value;
  }
  [[nodiscard]] Elf64_Phdr program_header(std::size_t index) const {
    return read<Elf64_Phdr>(entry(header_.e_phoff, header_.e_phentsize, index));
  }
  [[nodiscard]] Elf64_Shdr section_header(std::size_t index) const {
    if (index >= header_.e_shnum) throw MalformedInput("its section table is broken");
    return read<Elf64_Shdr>(entry(header_.e_shoff, header_.e_shentsize, index));
  }
  /// Where entry `index` of a table begins; index and size are 16 bits wide.
  [[nodiscard]] std::size_t entry(std::size_t table, std::size_t size, std::size_t index) const {
    (void)slice(file_, table, size * index);
    return table + size * index;
  }
  /// The text at `offset` up to its NUL, 256 characters at most.
  [[nodiscard]] std::string_view text_at(std::size_t offset) const {
    if (offset > file_.size()) throw MalformedInput("its string table is broken");
    const auto count = std::min<std::size_t>(256, file_.size() - offset);
    const auto rest = as_chars(file_.subspan(offset, count));
    return rest.substr(0, rest.find('\0'));
  }
  /// The file's offset of what is loaded at `address`.
  [[nodiscard]] std::size_t file_offset(std::uint64_t address) const {
    for (std::size_t i = 0; i < header_.e_phnum; ++i) {
      const auto segment = program_header(i);
      if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
          address - segment.p_vaddr < segment.p_filesz) {
        return segment.p_offset + (address - segment.p_vaddr);
      }
    }
    throw MalformedInput("its symbol stoq_plugin points outside the file");
  }

  [[nodiscard]] Claim claim_at(const Elf64_Sym& symbol) const {
    const auto offset = file_offset(symbol.st_value);
    Cursor cursor(slice(file_, offset, offsetof(PluginDescriptor, toolchain)));
    Claim claim{};
    claim.magic = cursor.le<std::uint32_t>();
    claim.abi = cursor.le<std::uint32_t>();
    claim.layout = cursor.le<std::uint64_t>();
    if (claim.magic == plugin_magic) {
      claim.category = read<std::uint8_t>(offset + offsetof(PluginDescriptor, category));
      claim.toolchain = pointed_text(symbol.st_value + offsetof(PluginDescriptor, toolchain));
    }
    return claim;
  }

  /// The text that the pointer at `address` will point to once it is relocated.
  [[nodiscard]] std::string pointed_text(std::uint64_t address) const {
    for (std::size_t i = 0; i < header_.e_shnum; ++i) {
      const auto section = section_header(i);
      if (section.sh_type != SHT_RELA) continue;
      const auto entries = slice(file_, section.sh_offset, section.sh_size);
      for (std::size_t at = 0; fits(entries, at, sizeof(Elf64_Rela)); at += sizeof(Elf64_Rela)) {
        const auto relocation = read<Elf64_Rela>(section.sh_offset + at);
        if (relocation.r_offset != address) continue;
        std::string text(text_at(file_offset(static_cast<std::uint64_t>(relocation.r_addend))));
        const bool printable =
            std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
        return printable ? text : std::string{};
      }
    }
    return {};
  }

  ByteView file_;
  Elf64_Ehdr header_{};
};

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& reason) {
  throw ConfigError(path.string() + ": " + reason);
}

/// Reads the descriptor from the file alone, and refuses what does not fit this program.
void check_file(const std::filesystem::path& path) {
  const Mapping mapping(path);
  std::optional<Claim> claim;
  try {
    claim = ElfFile(mapping.view()).find_claim();
  } catch (const MalformedInput& error) {
    refuse(path, std::string("no plugin, or a damaged one (") + error.what() +
                     "); build or copy it again");
  }
  if (!claim || claim->magic != plugin_magic) {
    refuse(path, "not a stoq plugin: it exports no descriptor; write STOQ_PLUGIN(Class) in it");
  }
  const auto theirs = claim->toolchain.empty() ? "an unknown compiler" : claim->toolchain;
  if (claim->abi != abi_version) {
    refuse(path, "built for plugin interface " + std::to_string(claim->abi) + " (by " + theirs +
                     "), this stoq has " + std::to_string(abi_version) +
                     "; build it again with this stoq's headers");
  }
  if (claim->layout != plugin_layout) {
    refuse(path, "built with another standard library or debug mode (by " + theirs +
                     "; this stoq: " + std::string(own_toolchain) +
                     "); build it again with this stoq's compiler and flags");
  }
  if (claim->category > static_cast<std::uint8_t>(Category::decoder)) {
    refuse(path, "its descriptor is damaged: no such category; build it again");
  }
}

}  // namespace

PluginLibrary::PluginLibrary(const std::filesystem::path& path) : descriptor_(nullptr) {
  check_file(path);
  // Absolute: a name without a slash would be looked for along the system's library path.
  const auto file = std::filesystem::absolute(path);
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) {
    const std::string reason = dlerror();
    const bool symbol = reason.find("undefined symbol") != reason.npos;
    refuse(path, "cannot be loaded: " + reason +
                     (symbol ? "; link the library that has it (LIBRARIES of stoq_add_plugin) and "
                               "build it again"
                             : "; install the library it needs"));
  }
  descriptor_ = static_cast<const PluginDescriptor*>(dlsym(library, symbol_name.data()));
  if (descriptor_ == nullptr || descriptor_->create == nullptr) {
    refuse(path, "its descriptor is damaged; build it again");
  }
}

std::unique_ptr<Plugin> PluginLibrary::create() const {
  return std::unique_ptr<Plugin>(descriptor_->create());
}

}  // namespace stoq::engine
