#include "opener.hpp"

#include <charconv>
#include <new>
#include <optional>
#include <set>
#include <string_view>

#include <qpdf/QPDFExc.hh>

#include "contents.hpp"
#include "tables.hpp"

namespace pdf {
namespace {

constexpr std::string_view blanks("\0\t\n\f\r ", 6);

std::string_view without_blanks(std::string_view text) noexcept {
  return text.substr(std::min(text.find_first_not_of(blanks), text.size()));
}

/// The number at the front of `text`, which then begins behind it.
template <class T>
std::optional<T> take_number(std::string_view& text) noexcept {
  text = without_blanks(text);
  T number = 0;
  const auto [next, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(next - text.data()));
  return number;
}

/// Where the newest table stands.
std::optional<std::uint64_t> start_of_tables(std::string_view pdf) noexcept {
  constexpr std::string_view word = "startxref";
  const auto found = pdf.rfind(word);
  if (found == pdf.npos) return std::nullopt;
  auto rest = pdf.substr(found + word.size());
  const auto offset = take_number<std::int64_t>(rest);
  if (!offset || static_cast<std::uint64_t>(*offset) >= pdf.size()) return std::nullopt;
  return static_cast<std::uint64_t>(*offset);
}

/// How an object begins.
struct Head {
  int number = 0;
  int generation = 0;
};

Head head_at(std::string_view text) {
  const auto number = take_number<int>(text);
  const auto generation = take_number<int>(text);
  if (!number || !generation || *number < 1 || *generation > 65535 ||
      !without_blanks(text).starts_with("obj")) {
    throw stoq::MalformedInput("no cross-reference table where one is promised");
  }
  return {*number, *generation};
}

bool is_plain_table(std::string_view text) noexcept {
  return without_blanks(text).starts_with("xref");
}

}  // namespace

Document Opener::open() {
  std::string problem;
  try {
    return open_by_tables();
  } catch (const stoq::Encrypted&) {
    throw;
  } catch (const QPDFExc& error) {
    problem = error.getMessageDetail();
  } catch (const std::exception& error) {
    problem = error.what();
  }
  return recover(problem);
}

Document Opener::recover(const std::string& problem) {
  try {
    return look_for_objects(problem);
  } catch (const stoq::Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw stoq::MalformedInput(std::string("pdf: nothing can be read: ") + error.what());
  }
}

Document Opener::open_by_tables() {
  const auto text = stoq::as_chars(pdf_);
  const auto start = start_of_tables(text);
  if (!start) throw stoq::MalformedInput("no pointer to a cross-reference table");
  if (!is_plain_table(text.substr(*start))) return open_by_streams(*start, nullptr);
  Document document{unlock(pointer_to(*start), Recovery::off), {}, {}};
  // Old readers see such a file without the objects that only its stream knows.
  long long hybrid = 0;
  if (document.qpdf->getTrailer().getKey("/XRefStm").getValueAsInt(hybrid) && hybrid > 0) {
    return open_by_streams(static_cast<std::uint64_t>(hybrid), document.qpdf.get());
  }
  return document;
}

Document Opener::open_by_streams(std::uint64_t offset, QPDF* table) {
  const auto text = stoq::as_chars(pdf_);
  Tables tables;
  std::unique_ptr<QPDF> first;
  QPDFObjectHandle trailer;
  if (table != nullptr) {
    tables.add(*table);
    trailer = table->getTrailer();
  }
  std::set<std::uint64_t> seen;
  while (offset != 0) {
    if (offset >= pdf_.size() || !seen.insert(offset).second) {
      throw stoq::MalformedInput("cross-reference tables lead nowhere, or in a circle");
    }
    if (is_plain_table(text.substr(offset))) {
      tables.add(*parse(pointer_to(offset), Recovery::off, {}));
      break;
    }
    const auto head = head_at(text.substr(offset));
    auto qpdf =
        parse(table_of_one(head.number, head.generation, offset, pdf_.size()), Recovery::off, {});
    auto stream = qpdf->getObject(head.number, head.generation);
    if (!stream.isStreamOfType("/XRef")) {
      throw stoq::MalformedInput("no cross-reference stream where one is promised");
    }
    tables.add(stream, budget_, request_);
    tables.add(head.number, head.generation, offset);  // many do not list themselves
    long long before = 0;
    const bool goes_on = stream.getDict().getKey("/Prev").getValueAsInt(before) && before > 0;
    offset = goes_on && table == nullptr ? static_cast<std::uint64_t>(before) : 0;
    if (!trailer.isInitialized()) {
      trailer = stream.getDict();
      first = std::move(qpdf);
    }
  }
  return {unlock(tables.text(trailer, pdf_.size()), Recovery::off), tables.packed(), {}};
}

Document Opener::look_for_objects(const std::string& problem) {
  // qpdf gives up a file that has lost its trailer, and a stream that has lost its end: it finds
  // both behind the file, and a pointer to no table, so that it looks for objects.
  const std::string begin = "\nendstream\nendobj\ntrailer\n<< /Size 1";
  const auto end = " >>" + pointer_to(0);
  Document document{unlock(begin + end, Recovery::on), {}, problem};
  if (document.qpdf->isEncrypted()) return document;
  for (auto& object : document.qpdf->getAllObjects()) {
    if (!object.isStreamOfType("/XRef")) continue;
    auto dictionary = object.getDict();
    if (!dictionary.getKey("/Encrypt").isDictionary()) continue;
    auto trailer = begin;
    for (const auto* key : {"/Encrypt", "/ID"}) {
      trailer += ' ' + std::string(key) + ' ' + dictionary.getKey(key).unparse();
    }
    document.qpdf = unlock(trailer + end, Recovery::on);
    break;
  }
  return document;
}

std::unique_ptr<QPDF> Opener::unlock(const std::string& tail, Recovery recovery) {
  const auto opens = [&](const std::string& password) -> std::unique_ptr<QPDF> {
    try {
      return parse(tail, recovery, password);
    } catch (const QPDFExc& error) {
      if (error.getErrorCode() == qpdf_e_unsupported) {
        throw stoq::Encrypted("pdf: " + error.getMessageDetail());
      }
      if (error.getErrorCode() != qpdf_e_password) throw;
      return nullptr;
    }
  };
  if (auto qpdf = opens({})) return qpdf;
  for (const auto& password : passwords_) {
    if (request_.stop_requested()) throw stoq::LimitReached{"plugin_timeout"};
    if (auto qpdf = opens(password)) return qpdf;
  }
  throw stoq::Encrypted("pdf: none of " + std::to_string(passwords_.size() + 1) +
                        " passwords fits (option password_list)");
}

std::unique_ptr<QPDF> Opener::parse(const std::string& tail, Recovery recovery,
                                    const std::string& password) {
  auto qpdf = std::make_unique<QPDF>();
  qpdf->setLogger(logger_);
  qpdf->setSuppressWarnings(true);
  qpdf->setIgnoreXRefStreams(true);
  qpdf->setAttemptRecovery(recovery == Recovery::on);
  qpdf->processInputSource(std::make_shared<Source>(pdf_, tail, budget_, request_),
                           password.c_str());
  // Of single objects in any case.
  qpdf->setAttemptRecovery(true);
  return qpdf;
}

}  // namespace pdf
