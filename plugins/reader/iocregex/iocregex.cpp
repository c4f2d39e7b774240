/// Indicators of compromise in any bytes, for workers that ask: see iocregex.stoq.
#include <string>
#include <vector>

#include <stoq/plugin.hpp>

#include "ioc/search.hpp"

namespace {

class IocRegex : public stoq::Reader {
 public:
  void activate(stoq::Options& options, stoq::Host&) override { search_.activate(options); }

  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  stoq::Value read(const stoq::Payload& payload, const stoq::Request& request) const override {
    return search_.run({stoq::as_chars(payload.view()), search_.utf16(), {}},
                       wish_of(request.args()), request);
  }

 private:
  [[nodiscard]] ioc::Wish wish_of(const stoq::Value& args) const {
    auto wish = search_.wish();
    if (const auto* const types = args["types_list"].get_if<stoq::Value::Array>()) {
      std::vector<std::string> names;
      for (const auto& type : *types) {
        const auto* const name = type.get_if<std::string>();
        names.push_back(name != nullptr ? *name : std::string());
      }
      wish.types = ioc::types_called(names);
    }
    if (const auto most = args.integer("max_per_type"); most > 0) {
      wish.most = static_cast<std::size_t>(most);
    }
    return wish;
  }

  ioc::Search search_;
};

}  // namespace

STOQ_PLUGIN(IocRegex)
