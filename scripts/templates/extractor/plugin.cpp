/// Takes apart records of the form: size (32 bits, little-endian), that many bytes.
#include <string>

#include <stoq/plugin.hpp>

namespace {

class TemplateClass : public stoq::Extractor {
 public:
  void extract(const stoq::Payload& payload, const stoq::Request& request,
               stoq::Children& children) const override {
    stoq::Cursor cursor(payload.view());
    for (std::size_t i = 0; cursor.remaining() > 0 && !request.stop_requested(); ++i) {
      const auto size = cursor.le<std::uint32_t>();  // throws MalformedInput at the end
      const auto offset = cursor.offset();
      cursor.take(size);
      children.emit(payload.bytes.slice(offset, size),
                    {.name = "record-" + std::to_string(i), .offset = offset});
    }
  }
};

}  // namespace

STOQ_PLUGIN(TemplateClass)
