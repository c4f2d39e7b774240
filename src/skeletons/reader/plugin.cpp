/// Keeps the printable text of a payload.
#include <algorithm>
#include <iterator>
#include <string>

#include <stoq/plugin.hpp>

namespace {

class TemplateClass : public stoq::Reader {
 public:
  stoq::Value read(const stoq::Payload& payload, const stoq::Request&) const override {
    const auto bytes = stoq::as_chars(payload.view());
    std::string text;
    std::copy_if(bytes.begin(), bytes.end(), std::back_inserter(text),
                 [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
    return text;
  }
};

}  // namespace

STOQ_PLUGIN(TemplateClass)
