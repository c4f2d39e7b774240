#include "readable.hpp"

namespace stoq::common {
namespace {

using namespace std::string_view_literals;
using By = ReadableText::By;

bool is_pdf(std::string_view bytes) noexcept {
  // As readers of PDF do: the header may stand anywhere in the first 1,024 bytes.
  return bytes.substr(0, 1024).find("%PDF-"sv) != bytes.npos;
}

/// Whether it says itself that it is UTF-16 or UTF-32.
bool has_wide_mark(std::string_view bytes) noexcept {
  return bytes.starts_with("\xff\xfe"sv) || bytes.starts_with("\xfe\xff"sv) ||
         bytes.starts_with("\0\0\xfe\xff"sv);
}

/// What cannot be read is an error of the answer, not of the call: bytes remain to be searched.
ReadableText read_by(const Reader& reader, By by, const Payload& payload, const Request& request) {
  ReadableText read;
  try {
    read.value = reader.read(payload, request);
    if (read.value.is_null()) return read;
    read.by = by;
    read.text = read.value.text("text");
    read.error = read.value.text("error");
  } catch (const Error& error) {
    read.error = error.what();
  }
  if (!read.error.empty()) {
    read.error.insert(0, by == By::pdftext ? "reader:pdftext: " : "reader:text: ");
  }
  return read;
}

}  // namespace

void Readable::activate(Options& options, Host& host) {
  if (options.get("pdf", true, "also search the text of PDFs, by reader:pdftext")) {
    pdf_ = host.reader("pdftext");
    if (pdf_ == nullptr) {
      host.log(LogLevel::warning,
               "reader:pdftext is not there: compressed text of PDFs is not searched; install it, "
               "or set pdf = False");
    }
  }
  const auto password =
      options.get("pdf_password", "", "password to try first on PDFs; see also reader:pdftext");
  if (!password.empty()) args_.add("pdf_password", password);
  text_ = host.reader("text");
}

ReadableText Readable::read(const Payload& payload, const Request& request) const {
  const auto bytes = as_chars(payload.view());
  if (pdf_ != nullptr && is_pdf(bytes)) {
    return read_by(*pdf_, By::pdftext, payload, with_args(request, args_));
  }
  if (text_ != nullptr && has_wide_mark(bytes)) {
    const Value none;
    return read_by(*text_, By::text, payload, with_args(request, none));
  }
  return {};
}

Request with_args(const Request& request, const Value& args) noexcept {
  const auto stop = [](const void* outer) noexcept {
    return static_cast<const Request*>(outer)->stop_requested();
  };
  return {args, stop, &request};
}

}  // namespace stoq::common
