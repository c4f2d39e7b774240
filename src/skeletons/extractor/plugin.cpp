/// Takes apart files of the form: "RECS", then records of a size (32 bits, little-endian) and that
/// many bytes.
#include <string>
#include <string_view>

#include <stoq/plugin.hpp>

namespace {

class TemplateClass : public stoq::Extractor {
 public:
  void extract(const stoq::Payload& payload, const stoq::Request& request,
               stoq::Children& children) const override {
    constexpr std::string_view magic = "RECS";
    if (!stoq::as_chars(payload.view()).starts_with(magic)) return;  // not ours: no error
    stoq::Cursor cursor(payload.view());
    cursor.take(magic.size());
    for (std::size_t i = 0; cursor.remaining() > 0 && !request.stop_requested(); ++i) {
      const auto size = cursor.le<std::uint32_t>();  // throws MalformedInput at the end
      const auto offset = cursor.offset();
      cursor.take(size);
      // A slice shares the payload's memory: no copy.
      children.emit(payload.bytes.slice(offset, size),
                    {.name = "record-" + std::to_string(i), .offset = offset});
    }
  }
};

}  // namespace

STOQ_PLUGIN(TemplateClass)
