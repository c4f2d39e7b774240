/// Moves the 94 visible characters of ASCII, '!' to '~', round and round and leaves all else:
/// ROT47. The dispatch rule's meta `amount`, or the option, says by how many places; below 0 is
/// backwards.
#include "bytewise.hpp"

namespace {

class Rot47 : public stoq::Decoder {
 public:
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
    constexpr std::int64_t first = '!';
    constexpr std::int64_t count = '~' - '!' + 1;
    auto amount = amount_;
    if (const auto& given = args["amount"]; !given.is_null()) {
      if (given.get_if<std::int64_t>() == nullptr) {
        stoq::common::refuse_rule("rot47", args, "amount is no whole number");
      }
      amount = *given.get_if<std::int64_t>();
    }
    const auto step = (amount % count + count) % count;
    stoq::common::ByteMap map{};
    for (std::size_t i = 0; i < map.size(); ++i) map[i] = static_cast<std::byte>(i);
    for (std::int64_t i = 0; i < count; ++i) {
      map[static_cast<std::size_t>(first + i)] = static_cast<std::byte>(first + (i + step) % count);
    }
    return map;
  }

  std::int64_t amount_ = 47;
};

}  // namespace

STOQ_PLUGIN(Rot47)
