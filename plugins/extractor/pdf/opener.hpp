/// Opens a PDF. qpdf 11.3 reads cross-reference streams and object streams into memory whatever
/// their size, and follows objects that claim to stand in one another until the stack ends: so it
/// is shown neither. Cross-reference streams are read here, under limits, and qpdf is given a plain
/// table of what they say, behind the file.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <qpdf/QPDF.hh>
#include <qpdf/QPDFLogger.hh>

#include <stoq/bytes.hpp>
#include <stoq/plugin.hpp>

#include "source.hpp"

namespace pdf {

struct Document {
  std::unique_ptr<QPDF> qpdf;
  std::map<int, int> packed;  ///< objects in object streams: number, and that of the stream
  std::string problem;        ///< why qpdf had to look for the objects itself; empty: it had not
};

class Opener {
 public:
  /// `pdf` begins with its header. Keeps references to all but the logger.
  Opener(stoq::ByteView pdf, const std::vector<std::string>& passwords,
         std::shared_ptr<QPDFLogger> logger, Budget& budget, const stoq::Request& request)
      : pdf_(pdf),
        passwords_(passwords),
        logger_(std::move(logger)),
        budget_(budget),
        request_(request) {}

  /// Throws Encrypted when no password fits, and MalformedInput when nothing can be made of it.
  /// What it returns may be used as long as what was given to the constructor.
  [[nodiscard]] Document open();
  /// The same without a look at the file's tables, because of a problem with them.
  [[nodiscard]] Document recover(const std::string& problem);

 private:
  enum class Recovery { off, on };

  Document open_by_tables();
  Document look_for_objects(const std::string& problem);
  Document open_by_streams(std::uint64_t offset, QPDF* table);
  std::unique_ptr<QPDF> unlock(const std::string& tail, Recovery recovery);
  std::unique_ptr<QPDF> parse(const std::string& tail, Recovery recovery,
                              const std::string& password);

  stoq::ByteView pdf_;
  const std::vector<std::string>& passwords_;
  std::shared_ptr<QPDFLogger> logger_;
  Budget& budget_;
  const stoq::Request& request_;
};

}  // namespace pdf
