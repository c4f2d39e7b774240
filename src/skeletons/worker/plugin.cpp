/// Counts lines. Options: see template_name.stoq.
#include <algorithm>

#include <stoq/plugin.hpp>

namespace {

class TemplateClass : public stoq::Worker {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    first_bytes_ =
        options.get("first_bytes", std::size_t{1} << 20, "look at no more bytes than these");
  }

  stoq::Value scan(const stoq::Payload& payload, const stoq::Request&) const override {
    const auto text = stoq::as_chars(payload.view()).substr(0, first_bytes_);
    const auto lines = std::count(text.begin(), text.end(), '\n');
    if (lines == 0) return {};
    return {{"lines", lines}};
  }

 private:
  std::size_t first_bytes_ = 0;
};

}  // namespace

STOQ_PLUGIN(TemplateClass)
