/// What a stream object holds: its filters, and its bytes without them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <qpdf/QPDFObjectHandle.hh>

#include <stoq/buffer.hpp>
#include <stoq/bytes.hpp>
#include <stoq/plugin.hpp>

#include "filters.hpp"
#include "source.hpp"

namespace pdf {

/// The filters that a stream's dictionary names.
struct Chain {
  std::vector<std::pair<Kind, Parameters>> undone;  ///< those in front that can be undone, in order
  std::vector<std::string> names;                   ///< all, as the file spells them
  std::size_t kept = 0;  ///< how many at the end stay: the first that stays, and what follows
  std::string problem;   ///< what about them makes no sense; empty: nothing

  /// The first that stays; empty when none does.
  [[nodiscard]] std::string_view first_kept() const noexcept {
    return kept == 0 ? std::string_view() : names[names.size() - kept];
  }
};

[[nodiscard]] Chain chain_of(QPDFObjectHandle dictionary);

/// A stage that writes into a Buffer and lets its limits decide.
class BufferStage : public Stage {
 public:
  explicit BufferStage(stoq::Buffer& out) noexcept : out_(out) {}
  void write(stoq::ByteView bytes) override;
  void finish() override {}

 private:
  stoq::Buffer& out_;
};

/// Pushes the stream's bytes, decrypted, through its filters into `out`. What is decoded before a
/// fault has been written when MalformedInput is thrown.
void decode(QPDFObjectHandle stream, const Chain& chain, Stage& out, const stoq::Request& request);

/// The bytes of a table or of objects. Throws MalformedInput also for filters that are not for
/// them, and once the budget is spent.
[[nodiscard]] std::string text_of(QPDFObjectHandle stream, Budget& budget,
                                  const stoq::Request& request);

/// The stream's bytes in a file that is not encrypted, as they stand there, filters and all;
/// nothing when they do not stand in it.
[[nodiscard]] std::optional<stoq::Bytes> bytes_of(QPDFObjectHandle stream, const stoq::Bytes& pdf);

}  // namespace pdf
