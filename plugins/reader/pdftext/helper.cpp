/// Reads the text of one PDF with poppler, in a process of its own: whatever a hostile file does to
/// poppler ends here.
///
/// usage: pdftext-helper MEMORY SECONDS TEXT PAGES <PDF 1<>OUTPUT
/// with the most memory in bytes, processor time, bytes of text, and pages; see report.hpp.
#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poppler-document.h>
#include <poppler-global.h>
#include <poppler-page.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.hpp"

namespace {

using pdftext::End;
using pdftext::Report;

struct Limits {
  std::uint64_t memory = 0, seconds = 0, text = 0, pages = 0;
};

bool read_limits(int count, char** arguments, Limits& limits) {
  std::uint64_t* const fields[] = {&limits.memory, &limits.seconds, &limits.text, &limits.pages};
  if (count != 5) return false;
  for (int i = 0; i < 4; ++i) {
    const std::string_view text = arguments[i + 1];
    const auto* const end = text.data() + text.size();
    const auto [next, failure] = std::from_chars(text.data(), end, *fields[i]);
    if (failure != std::errc{} || next != end) return false;
  }
  return true;
}

void limit(__rlimit_resource resource, std::uint64_t most) {
  const rlimit limits{most, most};
  if (::setrlimit(resource, &limits) != 0) std::_Exit(static_cast<int>(End::usage));
}

void confine(const Limits& limits) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_DUMPABLE, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  limit(RLIMIT_AS, limits.memory);  // sanitizers reserve terabytes of addresses
#endif
  limit(RLIMIT_CPU, limits.seconds);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, limits.text + sizeof(Report));
}

std::vector<std::string> passwords() {
  std::vector<std::string> list;
  const char* const given = std::getenv(pdftext::passwords_variable);
  std::string_view rest = given == nullptr ? "" : given;
  for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    list.emplace_back(rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
  return list;
}

bool write_all(std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const auto count = ::pwrite(STDOUT_FILENO, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
    at += static_cast<std::uint64_t>(count);
  }
  return true;
}

/// The text behind the report, page by page.
class Output {
 public:
  explicit Output(std::uint64_t most) noexcept : most_(most) {}
  Report report;

  /// False when there is no more room.
  bool add(std::string_view text) {
    auto room = static_cast<std::size_t>(std::min<std::uint64_t>(text.size(), most_ - report.size));
    const bool fits = room == text.size();
    // Not in the midst of a character.
    while (!fits && room > 0 && (static_cast<unsigned char>(text[room]) & 0xc0U) == 0x80U) --room;
    if (!write_all(text.substr(0, room), sizeof report + report.size)) return false;
    report.size += room;
    return fits;
  }
  void save() const { write_all({reinterpret_cast<const char*>(&report), sizeof report}, 0); }

 private:
  std::uint64_t most_;
};

using Document = std::unique_ptr<poppler::document>;

Document load(std::string_view pdf, const std::string& password) {
  return Document(poppler::document::load_from_raw_data(pdf.data(), static_cast<int>(pdf.size()),
                                                        password, password));
}

std::string text_of(const poppler::document& document, int number) {
  const std::unique_ptr<poppler::page> page(document.create_page(number));
  if (page == nullptr) return {};
  const auto utf8 =
      page->text(poppler::rectf(), poppler::page::non_raw_non_physical_layout).to_utf8();
  return {utf8.begin(), utf8.end()};
}

End read(std::string_view pdf, const Limits& limits) {
  auto document = load(pdf, {});
  if (document == nullptr) return End::malformed;
  Output output(limits.text);
  if (document->is_locked()) {
    for (const auto& password : passwords()) {
      document = load(pdf, password);
      if (document != nullptr && !document->is_locked()) break;
    }
    if (document == nullptr || document->is_locked()) return End::locked;
    output.report.locked = 1;
  }
  const auto pages = std::max(document->pages(), 0);
  output.report.pages = static_cast<std::uint32_t>(pages);
  output.save();
  const auto most = static_cast<int>(std::min<std::uint64_t>(limits.pages, INT32_MAX));
  for (int number = 0; number < std::min(pages, most); ++number) {
    const bool fits = output.add(text_of(*document, number) + '\f');
    if (fits) ++output.report.read;
    output.save();
    if (!fits) return End::full;
  }
  return pages > most ? End::full : End::done;
}

}  // namespace

int main(int count, char** arguments) {
  Limits limits;
  struct stat facts {};
  if (!read_limits(count, arguments, limits) || ::fstat(STDIN_FILENO, &facts) != 0) {
    return static_cast<int>(End::usage);
  }
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (size == 0 || size > INT32_MAX) return static_cast<int>(End::malformed);
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
  if (mapped == MAP_FAILED) return static_cast<int>(End::usage);
  confine(limits);
  poppler::set_debug_error_function([](const std::string&, void*) {}, nullptr);
  // No destructors and no exit handlers: they have nothing to do, and a broken heap to do it in.
  std::_Exit(static_cast<int>(read({static_cast<const char*>(mapped), size}, limits)));
}
