/// What a file's cross-reference tables say, and that as a plain table. ISO 32000-1, 7.5.4 and
/// 7.5.8.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <qpdf/QPDF.hh>

#include <stoq/plugin.hpp>

#include "source.hpp"

namespace pdf {

class Tables {
 public:
  /// The entries of a cross-reference stream that are not known yet: newer ones are read first.
  /// Throws MalformedInput where it makes no sense or the budget is spent.
  void add(QPDFObjectHandle stream, Budget& budget, const stoq::Request& request);
  /// One object, unless it is known.
  void add(int number, int generation, std::uint64_t offset);
  /// Those of tables that qpdf has read.
  void add(QPDF& document);

  /// A table of all that stand for themselves, for a file of `size` bytes, with the document's keys
  /// of `trailer`.
  [[nodiscard]] std::string text(QPDFObjectHandle trailer, std::uint64_t size) const;

  /// Objects in object streams: number, and that of the stream.
  [[nodiscard]] std::map<int, int> packed() const;

 private:
  enum class Kind : std::uint8_t { free, plain, packed };
  struct Place {
    Kind kind;
    std::uint64_t where;  ///< offset, or the object stream's number
    int generation;
  };
  std::map<int, Place> places_;
};

/// A table that leads to one object only.
[[nodiscard]] std::string table_of_one(int number, int generation, std::uint64_t offset,
                                       std::uint64_t size);

/// A pointer to the table at `offset`.
[[nodiscard]] std::string pointer_to(std::uint64_t offset);

}  // namespace pdf
