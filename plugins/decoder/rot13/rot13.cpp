/// Moves every letter of the payload along its alphabet and leaves all else: ROT13, or any Caesar
/// cipher. The dispatch rule's metas:
///   amount   by how many places, below 0 backwards, instead of the option amount
///   upper, lower   false: leave these letters (both are moved unless said)
///   digits   true: move digits too, by as many places
#include "bytewise.hpp"

namespace {

using stoq::common::ByteMap;

constexpr std::string_view plugin_name = "rot13";

class Rot13 : public stoq::Decoder {
 public:
  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  void activate(stoq::Options& options, stoq::Host&) override {
    amount_ = options.get<std::int64_t>("amount", 13,
                                        "by how many places letters move, when a rule names none");
  }

  void decode(const stoq::Payload& payload, const stoq::Request& request,
              stoq::Children& children) const override {
    const auto map = map_for(request.args());
    if (payload.bytes.empty()) return;
    stoq::common::produce_mapped(payload.view(), map, {}, request, children);
  }

 private:
  [[nodiscard]] ByteMap map_for(const stoq::Value& args) const {
    using stoq::common::flag;
    using stoq::common::turn;
    const auto amount = stoq::common::amount(plugin_name, args, amount_);
    auto map = stoq::common::unchanged();
    if (flag(plugin_name, args, "upper", true)) turn(map, 'A', 'Z', amount);
    if (flag(plugin_name, args, "lower", true)) turn(map, 'a', 'z', amount);
    if (flag(plugin_name, args, "digits", false)) turn(map, '0', '9', amount);
    return map;
  }

  std::int64_t amount_ = 13;
};

}  // namespace

STOQ_PLUGIN(Rot13)
