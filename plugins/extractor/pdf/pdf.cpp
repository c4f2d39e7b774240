/// Brings out what PDFs hold: streams without their filters, embedded files, scripts. qpdf reads
/// the objects and undoes encryption; see opener.hpp for what it is spared. Options: see pdf.stoq.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qpdf/QPDF.hh>
#include <qpdf/QPDFExc.hh>
#include <qpdf/QPDFLogger.hh>

#include <stoq/plugin.hpp>

#include "contents.hpp"
#include "finds.hpp"
#include "inflate.hpp"
#include "opener.hpp"
#include "packed.hpp"

namespace {

using std::string_view_literals::operator""sv;

/// Readers look for the header so far in; offsets count from it.
constexpr std::size_t header_room = 1024;

/// Image formats that no bytes but pixels come out of, and how a file of one is called.
std::string_view suffix_of(std::string_view filter) noexcept {
  if (filter == "DCTDecode" || filter == "DCT") return ".jpg";
  if (filter == "JPXDecode") return ".jp2";
  return {};
}

bool is_image(std::string_view filter) noexcept {
  return !suffix_of(filter).empty() || filter == "CCITTFaxDecode" || filter == "CCF" ||
         filter == "JBIG2Decode";
}

void add_name(stoq::Value& meta, const char* key, QPDFObjectHandle value) {
  if (value.isName()) meta.add(key, value.getName().substr(1));
}

stoq::Value describe(const pdf::Find& find, const pdf::Chain& chain) {
  stoq::Value meta{{"object", find.place.getObj()}};
  if (find.place.getGen() != 0) meta.add("generation", find.place.getGen());
  if (!find.object.isInitialized()) {
    meta.add("type", "JavaScript");
    return meta;
  }
  auto dictionary = QPDFObjectHandle(find.object).getDict();
  add_name(meta, "type", dictionary.getKey("/Type"));
  add_name(meta, "subtype", dictionary.getKey("/Subtype"));
  stoq::Value::Array filters(chain.names.begin(), chain.names.end());
  if (!filters.empty()) meta.add("filters", std::move(filters));
  if (chain.kept > 0) {
    const auto kept = static_cast<std::ptrdiff_t>(chain.kept);
    meta.add("kept", stoq::Value::Array(chain.names.end() - kept, chain.names.end()));
  }
  return meta;
}

class Pdf : public stoq::Extractor {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    passwords_ = options.get_list("password_list",
                                  "passwords to try on encrypted files, in this order, after none",
                                  "infected, password, malware, virus");
    max_objects_ = options.get_size("max_objects", std::uint64_t{8} << 20U,
                                    "bytes of objects to read of one PDF, streams' contents aside");
    logger_ = QPDFLogger::create();
    logger_->setInfo(logger_->discard());
    logger_->setWarn(logger_->discard());
    logger_->setError(logger_->discard());
  }

  void extract(const stoq::Payload& payload, const stoq::Request& request,
               stoq::Children& children) const override {
    const auto header =
        stoq::as_chars(payload.view()).substr(0, header_room + "%PDF-"sv.size()).find("%PDF-"sv);
    if (header == std::string_view::npos) return;
    const auto file = payload.bytes.slice(header, payload.bytes.size() - header);
    if (stoq::as_chars(file.view()).find("obj"sv) == std::string_view::npos) {
      if (header > 0) return;  // it speaks of PDFs
      throw stoq::MalformedInput("pdf: no objects behind the header");
    }
    pdf::Budget budget(max_objects_);
    pdf::Opener opener(file.view(), passwords_, logger_, budget, request);
    auto document = opener.open();
    auto finds = find_all(document, budget, request);
    if (finds.empty() && document.problem.empty() &&
        stoq::as_chars(file.view()).find("endstream"sv) != std::string_view::npos) {
      document = opener.recover("its tables lead to no stream");
      finds = find_all(document, budget, request);
    }
    const Call call{file, header, document.qpdf->isEncrypted(), request, children};
    auto problem = problem_of(document);
    children.declare(finds.size());
    for (const auto& find : finds) {
      if (request.stop_requested()) throw stoq::LimitReached{"plugin_timeout"};
      bring_out(find, call);
    }
    if (budget.is_spent()) {
      throw stoq::Unsupported("pdf: its objects are larger than max_objects allows (" +
                              std::to_string(max_objects_) + "); the rest is not looked at");
    }
    if (problem.empty()) problem = problem_of(document);
    if (!problem.empty()) throw stoq::MalformedInput("pdf: " + problem);
  }

 private:
  struct Call {
    const stoq::Bytes& file;
    std::size_t header;  ///< where the file begins in the payload
    bool encrypted;
    const stoq::Request& request;
    stoq::Children& children;
  };

  static std::vector<pdf::Find> find_all(const pdf::Document& document, pdf::Budget& budget,
                                         const stoq::Request& request) {
    return pdf::find_all(pdf::all_objects(*document.qpdf, document.packed, budget, request),
                         request);
  }

  void bring_out(const pdf::Find& find, const Call& call) const {
    stoq::ChildInfo info{.name = find.name, .encrypted = call.encrypted};
    if (!find.object.isInitialized()) {
      info.meta = describe(find, {});
      call.children.produce(std::move(info), find.script.size(), [&](stoq::Buffer& out) {
        pdf::BufferStage(out).write(stoq::as_bytes(find.script));
      });
      return;
    }
    const auto chain = pdf::chain_of(QPDFObjectHandle(find.object).getDict());
    info.meta = describe(find, chain);
    if (!find.is_attachment && chain.kept == 1) info.name += suffix_of(chain.first_kept());
    const auto offset = QPDFObjectHandle(find.object).getParsedOffset();
    if (offset > 0) info.offset = call.header + static_cast<std::uint64_t>(offset);
    if (!call.encrypted && bring_out_plain(find, chain, info, call)) return;
    call.children.produce(std::move(info), 0, [&](stoq::Buffer& out) {
      pdf::BufferStage end(out);
      pdf::decode(find.object, chain, end, call.request);
      check(chain);
    });
  }

  /// Streams as they stand are slices, and what is only deflated goes through libdeflate.
  bool bring_out_plain(const pdf::Find& find, const pdf::Chain& chain, stoq::ChildInfo& info,
                       const Call& call) const {
    const bool is_stored = chain.undone.empty();
    const bool is_flate = chain.undone.size() == 1 && chain.undone[0].first == pdf::Kind::flate &&
                          !chain.undone[0].second.predicts();
    const bool is_sound =
        chain.problem.empty() && (chain.kept == 0 || is_image(chain.first_kept()));
    if (!is_sound || !(is_stored || is_flate)) return false;
    const auto bytes = pdf::bytes_of(find.object, call.file);
    if (!bytes) return false;
    if (is_stored) {
      call.children.emit(*bytes, std::move(info));
      return true;
    }
    if (pdf::ends_flushed(bytes->view())) return false;
    const auto expected = 4 * bytes->size();
    call.children.produce(std::move(info), expected, [&](stoq::Buffer& out) {
      const auto hint = std::min<std::uint64_t>(expected, out.remaining());
      inflater_.inflate(bytes->view(), stoq::common::Framing::zlib, hint, out, call.request);
    });
    return true;
  }

  /// After all that could be undone is.
  static void check(const pdf::Chain& chain) {
    if (!chain.problem.empty()) throw stoq::MalformedInput("pdf: " + chain.problem);
    if (chain.kept > 0 && !is_image(chain.first_kept())) {
      throw stoq::Unsupported("pdf: filter " + std::string(chain.first_kept()) + " is not known");
    }
  }

  /// Why the file is damaged; empty when it is not. Many a sound file has smaller faults.
  static std::string problem_of(pdf::Document& document) {
    for (const auto& warning : document.qpdf->getWarnings()) {
      if (!document.problem.empty()) break;
      const auto& detail = warning.getMessageDetail();
      if (detail == "file is damaged") document.problem = "objects are not where the tables say";
      if (detail == "attempting to recover stream length") {
        document.problem = "the length of " + warning.getObject() + " is wrong";
      }
    }
    return document.problem;
  }

  std::vector<std::string> passwords_;
  std::uint64_t max_objects_ = 0;
  std::shared_ptr<QPDFLogger> logger_;
  stoq::common::Inflater inflater_;
};

}  // namespace

STOQ_PLUGIN(Pdf)
