/// Indicators of compromise in any payload, text or not: see iocextract.stoq for the options.
#include <stoq/plugin.hpp>

#include "ioc/search.hpp"
#include "readable.hpp"

namespace {

class IocExtract : public stoq::Worker {
 public:
  void activate(stoq::Options& options, stoq::Host& host) override {
    search_.activate(options);
    readable_.activate(options, host);
  }

  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  stoq::Value scan(const stoq::Payload& payload, const stoq::Request& request) const override {
    const auto read = readable_.read(payload, request);
    // What was decoded as a whole need not be put together from runs as well.
    const bool decoded = read.by == stoq::common::ReadableText::By::text && read.error.empty();
    auto found =
        search_.run({stoq::as_chars(payload.view()), search_.utf16() && !decoded, read.text},
                    search_.wish(), request);
    if (!read.error.empty()) found.add("error", read.error);
    return found;
  }

 private:
  ioc::Search search_;
  stoq::common::Readable readable_;
};

}  // namespace

STOQ_PLUGIN(IocExtract)
