/// Turns a payload back to front.
#include <algorithm>

#include <stoq/plugin.hpp>

namespace {

class TemplateClass : public stoq::Decoder {
 public:
  void decode(const stoq::Payload& payload, const stoq::Request&,
              stoq::Children& children) const override {
    const auto bytes = payload.view();
    if (bytes.empty()) return;
    // A buffer of the engine's: charged against the limits, reused, handed over without a copy.
    children.produce({.name = payload.name}, bytes.size(), [&](stoq::Buffer& out) {
      std::reverse_copy(bytes.begin(), bytes.end(), out.prepare(bytes.size()).begin());
      out.commit(bytes.size());
    });
  }
};

}  // namespace

STOQ_PLUGIN(TemplateClass)
