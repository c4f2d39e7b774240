/// Undoes a Caesar shift.
#include <stoq/plugin.hpp>

#include "rotate.hpp"

namespace {

class Caesar : public stoq::Decoder {
 public:
  void decode(const stoq::Payload& payload, const stoq::Request&,
              stoq::Children& children) const override {
    std::string plain(stoq::as_chars(payload.view()));
    for (auto& letter : plain) letter = rotated(letter);
    children.emit(stoq::Bytes::own(std::move(plain)), {.name = payload.name + ".plain"});
  }
};

}  // namespace

STOQ_PLUGIN(Caesar)
