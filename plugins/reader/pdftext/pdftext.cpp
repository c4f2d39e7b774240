/// The text of a PDF, by poppler in a process of its own: see pdftext.stoq.
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <stoq/plugin.hpp>

#include "helper_process.hpp"

namespace {

using namespace std::string_view_literals;

/// A header where readers of PDF look for one, and an object.
bool is_pdf(std::string_view bytes) noexcept {
  const auto header = bytes.substr(0, 1024).find("%PDF-"sv);
  return header != bytes.npos && bytes.find(" obj"sv, header) != bytes.npos;
}

class PdfText : public stoq::Reader {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    passwords_ = options.get_list("password_list", "passwords to try on PDFs that need one",
                                  "infected,password");
    limits_.memory =
        options.get_size("max_memory", std::uint64_t{1} << 30U, "memory for reading one PDF");
    limits_.text =
        options.get_size("max_text", std::uint64_t{64} << 20U, "text to give of one PDF, at most");
    limits_.pages = options.get("max_pages", std::uint64_t{10000}, "pages to read, at most");
    limits_.time = std::chrono::seconds(
        options.get("timeout", std::uint32_t{30}, "seconds for reading one PDF"));
    helper_ = pdftext::beside_library("pdftext-helper");
    if (::access(helper_.c_str(), X_OK) != 0) {
      throw stoq::ConfigError("the program " + helper_ + " is missing; install the plugin again");
    }
  }

  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  stoq::Value read(const stoq::Payload& payload, const stoq::Request& request) const override {
    if (!is_pdf(stoq::as_chars(payload.view()))) return {};
    auto reading =
        pdftext::run_helper(helper_, payload.view(), passwords(request), limits_, request);
    if (reading.stopped) return {};
    if (reading.failure.empty() && reading.end == pdftext::End::malformed) {
      throw stoq::MalformedInput("it cannot be read as a PDF");
    }
    if (reading.failure.empty() && reading.end == pdftext::End::locked) {
      throw stoq::Encrypted("none of " + std::to_string(passwords(request).size()) +
                            " passwords opens the PDF (option password_list)");
    }
    return result(reading);
  }

 private:
  [[nodiscard]] std::vector<std::string> passwords(const stoq::Request& request) const {
    auto list = passwords_;
    const auto given = request.args().text("pdf_password");
    if (!given.empty() && given.find('\n') == given.npos && given.find('\0') == given.npos) {
      list.emplace(list.begin(), given);
    }
    return list;
  }

  [[nodiscard]] stoq::Value result(pdftext::Reading& reading) const {
    const auto& report = reading.report;
    stoq::Value result{{"text", std::move(reading.text)}, {"pages", report.pages}};
    if (report.locked != 0) result.add("encrypted", true);
    auto error = reading.failure;
    if (reading.end == pdftext::End::full) error = "there is more than max_text or max_pages allow";
    if (error.empty()) return result;
    result.add("read", report.read);
    result.add("error", error + "; read are " + std::to_string(report.read) + " of " +
                            std::to_string(report.pages) + " pages");
    return result;
  }

  std::vector<std::string> passwords_;
  pdftext::Limits limits_;
  std::string helper_;
};

}  // namespace

STOQ_PLUGIN(PdfText)
