/// What a document holds that is to be brought out.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <qpdf/QPDFObjGen.hh>
#include <qpdf/QPDFObjectHandle.hh>

#include <stoq/plugin.hpp>

namespace pdf {

/// A stream, or a script that stands in an object as a string.
struct Find {
  QPDFObjectHandle object;  ///< not initialised for a script
  std::string name;
  std::string script;  ///< in UTF-8
  QPDFObjGen place;    ///< the object
  bool is_attachment = false;
};

/// In order of the objects. A stream is called "12.0" (number and generation), an embedded file as
/// its file specification says, a script "12.0.js", and further ones of the object "12.0.2.js".
[[nodiscard]] std::vector<Find> find_all(const std::vector<QPDFObjectHandle>& objects,
                                         const stoq::Request& request);

}  // namespace pdf
