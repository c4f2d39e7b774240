/// Decodes text of any encoding to UTF-8: see text.stoq.
#include <string>

#include <stoq/plugin.hpp>

#include "decode.hpp"
#include "guess.hpp"

namespace {

class Text : public stoq::Reader {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    fallback_ = options.get("fallback", "windows-1252",
                            "encoding of what is text in none that is recognised");
    most_ = options.get_size("max_text", std::size_t{64} << 20U, "UTF-8 to give, at most");
    text::check_encoding(fallback_);
  }

  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  stoq::Value read(const stoq::Payload& payload, const stoq::Request& request) const override {
    const auto bytes = stoq::as_chars(payload.view());
    const auto guess = guessed(bytes, request.args().text("encoding"));
    if (guess.encoding.empty()) return {};
    auto decoded = text::decode(bytes.substr(guess.skip), guess.encoding, most_, request);
    if (decoded.stopped) return {};
    stoq::Value result{{"text", std::move(decoded.text)},
                       {"encoding", guess.encoding},
                       {"certainty", to_string(guess.certainty)}};
    if (decoded.replaced != 0) result.add("replaced", decoded.replaced);
    if (!decoded.whole) {
      result.add("error", "the text is larger than max_text, " + std::to_string(most_) + " bytes");
    }
    return result;
  }

 private:
  [[nodiscard]] text::Guess guessed(std::string_view bytes, std::string_view given) const {
    if (given.empty()) return text::guess(bytes, fallback_);
    return {std::string(given), 0, text::Certainty::declared};
  }

  std::string fallback_;
  std::size_t most_ = 0;
};

}  // namespace

STOQ_PLUGIN(Text)
