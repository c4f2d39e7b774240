/// Object streams (ISO 32000-1, 7.5.7): objects that stand in a stream's bytes.
#pragma once

#include <map>
#include <vector>

#include <qpdf/QPDF.hh>

#include <stoq/plugin.hpp>

#include "source.hpp"

namespace pdf {

/// All objects of the document, in order of their numbers, with those of its object streams: the
/// ones for which `owners` (number of the object, of the stream) names the stream, and those of
/// which neither it nor a table knows. Dictionaries in object streams that say nothing of scripts,
/// files or filters are left out.
[[nodiscard]] std::vector<QPDFObjectHandle> all_objects(QPDF& document,
                                                        const std::map<int, int>& owners,
                                                        Budget& budget,
                                                        const stoq::Request& request);

}  // namespace pdf
