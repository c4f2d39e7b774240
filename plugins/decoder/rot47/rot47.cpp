/// Moves the 94 visible characters of ASCII, '!' to '~', round and round and leaves all else:
/// ROT47. The dispatch rule's meta `amount`, or the option, says by how many places; below 0 is
/// backwards.
#include "bytewise.hpp"

namespace {

class Rot47 : public stoq::Decoder {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    amount_ = options.get<std::int64_t>(
        "amount", 47, "by how many places characters move, when a rule names none");
  }

  void decode(const stoq::Payload& payload, const stoq::Request& request,
              stoq::Children& children) const override {
    const auto map = map_for(request.args());
    if (payload.bytes.empty()) return;
    stoq::common::produce_mapped(payload.view(), map, {}, request, children);
  }

 private:
  [[nodiscard]] stoq::common::ByteMap map_for(const stoq::Value& args) const {
    auto map = stoq::common::unchanged();
    stoq::common::turn(map, '!', '~', stoq::common::amount("rot47", args, amount_));
    return map;
  }

  std::int64_t amount_ = 47;
};

}  // namespace

STOQ_PLUGIN(Rot47)
