#include "contents.hpp"

#include <algorithm>
#include <memory>
#include <new>

#include <qpdf/Pipeline.hh>
#include <qpdf/QPDF.hh>
#include <qpdf/QPDFExc.hh>

namespace pdf {
namespace {

/// Longer chains are made to keep a scanner busy.
constexpr std::size_t most_filters = 16;

/// qpdf's own pipelines end in a stage. After a fault qpdf 11.3 finishes a pipeline again, which
/// its AES does not survive when the fault came of finishing: so that is left to whoever owns the
/// stage.
class ToStage : public Pipeline {
 public:
  explicit ToStage(Stage& stage) : Pipeline("stoq", nullptr), stage_(stage) {}
  void write(const unsigned char* data, std::size_t size) override {
    if (std::exchange(failed_, true)) return;
    stage_.write(std::as_bytes(std::span(data, size)));
    failed_ = false;
  }
  void finish() override {}

 private:
  Stage& stage_;
  bool failed_ = false;
};

class Counter : public Stage {
 public:
  void write(stoq::ByteView bytes) override { count += bytes.size(); }
  void finish() override {}
  std::uint64_t count = 0;
};

/// Bytes in a string, as many as the budget has.
class TextStage : public Stage {
 public:
  explicit TextStage(Budget& budget) noexcept : budget_(budget) {}
  void write(stoq::ByteView bytes) override {
    if (!budget_.take(bytes.size())) {
      throw stoq::MalformedInput("objects are larger than max_objects allows");
    }
    text.append(stoq::as_chars(bytes));
  }
  void finish() override {}
  std::string text;

 private:
  Budget& budget_;
};

/// Without the slash.
std::string plain_name(QPDFObjectHandle name) { return name.getName().substr(1); }

/// One object, or those of an array.
std::vector<QPDFObjectHandle> listed(QPDFObjectHandle object) {
  if (object.isNull()) return {};
  if (!object.isArray()) return {object};
  std::vector<QPDFObjectHandle> items;
  const int count = std::min(object.getArrayNItems(), static_cast<int>(2 * most_filters));
  for (int i = 0; i < count; ++i) items.push_back(object.getArrayItem(i));
  return items;
}

Parameters parameters_of(QPDFObjectHandle dictionary) {
  Parameters parameters;
  const auto read = [&](const char* key, std::int64_t& value) {
    long long number = 0;
    if (dictionary.getKey(key).getValueAsInt(number)) value = number;
  };
  if (!dictionary.isDictionary()) return parameters;
  read("/Predictor", parameters.predictor);
  read("/Columns", parameters.columns);
  read("/Colors", parameters.colors);
  read("/BitsPerComponent", parameters.bits);
  std::int64_t early_change = 1;
  read("/EarlyChange", early_change);
  parameters.early_change = early_change != 0;
  return parameters;
}

}  // namespace

Chain chain_of(QPDFObjectHandle dictionary) {
  Chain chain;
  auto parameters = listed(dictionary.getKey("/DecodeParms"));
  std::size_t number = 0;
  for (auto& filter : listed(dictionary.getKey("/Filter"))) {
    auto its = number < parameters.size() ? parameters[number] : QPDFObjectHandle::newNull();
    ++number;
    if (!filter.isName()) {
      chain.problem = "/Filter is no name";
      break;
    }
    chain.names.push_back(plain_name(filter));
    const auto& name = chain.names.back();
    const auto kind = kind_of(name);
    const bool is_decryption = name == "Crypt";  // qpdf has undone it
    if (chain.kept > 0 || !(kind || is_decryption) || number > most_filters) {
      ++chain.kept;
    } else if (kind) {
      chain.undone.emplace_back(*kind, parameters_of(its));
      if (chain.undone.back().second.are_sound()) continue;
      chain.problem = "/DecodeParms of " + name + " make no sense";
      chain.undone.back().second = {};
    }
  }
  if (number > most_filters) chain.problem = "more filters than any stream needs";
  return chain;
}

void BufferStage::write(stoq::ByteView bytes) {
  const auto room = out_.remaining();
  out_.append(bytes.first(std::min(bytes.size(), room)));
  if (bytes.size() > room) throw stoq::LimitReached{"child_bytes"};
}

void decode(QPDFObjectHandle stream, const Chain& chain, Stage& out, const stoq::Request& request) {
  std::vector<std::unique_ptr<Stage>> stages;
  Stage* next = &out;
  const auto add = [&](std::unique_ptr<Stage> stage) {
    next = stage.get();
    stages.push_back(std::move(stage));
  };
  for (auto filter = chain.undone.rbegin(); filter != chain.undone.rend(); ++filter) {
    const auto& [kind, parameters] = *filter;
    const bool may_predict = kind == Kind::flate || kind == Kind::lzw;
    if (may_predict && parameters.predicts()) add(make_predictor(parameters, *next));
    add(make_filter(kind, parameters, *next, request));
  }
  ToStage pipeline(*next);
  auto* const owner = stream.getOwningQPDF();
  if (owner != nullptr) owner->getWarnings();
  bool whole = false;
  try {
    whole = stream.pipeStreamData(&pipeline, nullptr, 0, qpdf_dl_none);
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw stoq::MalformedInput(error.what());  // before the first byte: of decrypting
  }
  if (whole) {
    next->finish();
    return;
  }
  try {
    next->finish();  // for what waits in a predictor
  } catch (const stoq::MalformedInput&) {
    whole = false;  // the fault that was first is the one to be told
  }
  // The reason is the last of qpdf's warnings, after words of its own.
  const auto warnings = owner != nullptr ? owner->getWarnings() : std::vector<QPDFExc>();
  std::string reason = warnings.empty() ? "it cannot be read" : warnings.back().getMessageDetail();
  const auto own = reason.find(": ");
  if (reason.starts_with("error decoding") && own != reason.npos) reason.erase(0, own + 2);
  throw stoq::MalformedInput(reason);
}

std::string text_of(QPDFObjectHandle stream, Budget& budget, const stoq::Request& request) {
  const auto chain = chain_of(stream.getDict());
  if (chain.kept > 0 || !chain.problem.empty()) {
    throw stoq::MalformedInput("objects under filters that are not for them");
  }
  TextStage out(budget);
  try {
    decode(stream, chain, out, request);
  } catch (const stoq::MalformedInput&) {
    if (budget.is_spent() || out.text.empty()) throw;  // else what came may be enough
  }
  return std::move(out.text);
}

std::optional<stoq::Bytes> bytes_of(QPDFObjectHandle stream, const stoq::Bytes& pdf) {
  Counter counter;
  ToStage pipeline(counter);
  stream.pipeStreamData(&pipeline, nullptr, 0, qpdf_dl_none);
  const auto offset = stream.getParsedOffset();
  if (offset < 0 || !stoq::fits(pdf.view(), static_cast<std::size_t>(offset), counter.count)) {
    return std::nullopt;
  }
  return pdf.slice(static_cast<std::size_t>(offset), counter.count);
}

}  // namespace pdf
