/// Reads STIX 2 (JSON) and STIX 1 (XML) into indicators: see stix.stoq.
#include <string_view>

#include <stoq/plugin.hpp>

#include "bundle.hpp"
#include "package.hpp"

namespace {

using namespace std::string_view_literals;

class Stix : public stoq::Reader {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  stoq::Value read(const stoq::Payload& payload, const stoq::Request&) const override {
    auto bytes = stoq::as_chars(payload.view());
    // UTF-16 is the XML parser's affair.
    if (bytes.starts_with("\xff\xfe"sv) || bytes.starts_with("\xfe\xff"sv)) {
      return stix::read_package(bytes);
    }
    if (bytes.starts_with("\xef\xbb\xbf"sv)) bytes.remove_prefix(3);
    const auto first = bytes.find_first_not_of(" \t\r\n"sv);
    if (first == bytes.npos) return {};
    if (bytes[first] == '<') return stix::read_package(bytes);
    return bytes[first] == '{' || bytes[first] == '[' ? stix::read_bundle(bytes) : stoq::Value();
  }
};

}  // namespace

STOQ_PLUGIN(Stix)
