/// What the content of a compressed file is called.
#pragma once

#include <string>
#include <string_view>

#include <stoq/bytes.hpp>

namespace decompress {

/// The name a gzip header holds (RFC 1952, 2.3.1), without folders; empty when it holds none.
std::string gzip_name(stoq::ByteView bytes);

/// "a" for "x/a.gz", "b.tar" for "b.tgz"; empty when the name does not say.
std::string name_without_suffix(std::string_view name);

}  // namespace decompress
