/// Cuts out what stands between <<< and >>>.
#include <string_view>

#include <stoq/plugin.hpp>

namespace {

class TemplateClass : public stoq::Carver {
 public:
  void carve(const stoq::Payload& payload, const stoq::Request& request,
             stoq::Children& children) const override {
    constexpr std::string_view begin = "<<<";
    constexpr std::string_view end = ">>>";
    const auto text = stoq::as_chars(payload.view());
    for (auto at = text.find(begin); at != text.npos; at = text.find(begin, at)) {
      at += begin.size();
      const auto stop = text.find(end, at);
      if (stop == text.npos || request.stop_requested()) return;  // not ours: no error
      // A slice shares the payload's memory: no copy.
      children.emit(payload.bytes.slice(at, stop - at), {.offset = at});
      at = stop + end.size();
    }
  }
};

}  // namespace

STOQ_PLUGIN(TemplateClass)
