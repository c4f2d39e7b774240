/// Results to a web server: posted by a thread of the connector's own, so that no thread of the
/// scan ever waits for a network.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <stoq/plugin.hpp>

#include "batch_queue.hpp"
#include "post.hpp"
#include "sender.hpp"

namespace {

using http_connector::Batch;
using std::chrono::milliseconds;

/// A JSON string (RFC 8259, 7) of text in UTF-8.
std::string quoted(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte == '"' || byte == '\\') {
      (out += '\\') += letter;
    } else if (byte == '\n') {
      out += "\\n";
    } else if (byte < 0x20) {
      ((out += "\\u00") += digits[byte >> 4U]) += digits[byte & 15U];
    } else {
      out += letter;
    }
  }
  return out += '"';
}

class Http : public stoq::Connector {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    target_.url = options.get("url", "", "where to post to, http:// or https://");
    target_.headers = options.get_list("header_list", "headers to send, as Name: value");
    target_.ca_file = options.get("ca_file", "", "certificates to trust instead of the system's");
    target_.timeout = seconds(options, "timeout", 30, "seconds for one post");
    text_key_ = options.get("text_key", "",
                            "for text made by a template: member of the JSON object to post it in, "
                            "as chats' webhooks take it (Slack: text)");
    target_.type = text_key_.empty() ? "application/x-ndjson" : "application/json";
    batch_bytes_ =
        options.get_size("batch_size", std::uint64_t{256} << 10, "bytes in one post, about");
    queue_bytes_ = options.get_size("queue_size", std::uint64_t{8} << 20,
                                    "bytes that wait in memory; what is more waits in the spool");
    spool_ =
        options.get("spool", "stoq-http.spool", "file for what waits; the next run sends the rest");
    patience_.most = seconds(options, "max_wait", 10, "seconds between two attempts at most");
    patience_.at_end =
        seconds(options, "give_up", 60, "seconds to go on trying once the scan is done");
  }

  [[nodiscard]] bool takes_text() const noexcept override { return !text_key_.empty(); }

  void connect(stoq::ConnectorUse use) override {
    if (!use.results) return;
    if (target_.url.empty()) {
      throw stoq::ConfigError("http: no url; say where to post with --option http.url=URL");
    }
    check(target_);
    queue_ = std::make_unique<http_connector::BatchQueue>(spool_, queue_bytes_);
    sender_ = std::make_unique<http_connector::Sender>(target_, *queue_, patience_);
    std::random_device random;
    run_ = std::to_string(std::uint64_t{random()} << 32U | random());
  }

  void save(std::string_view lines, std::size_t count) override {
    if (const auto refusal = sender_->refusal(); !refusal.empty()) {
      throw stoq::IoError("http: " + target_.url + " takes no results: " + refusal);
    }
    if (!text_key_.empty()) {
      waiting_ += lines;
      count_ += count;
      if (waiting_.size() >= batch_bytes_) push();
      return;
    }
    // A post ends between two lines.
    while (!lines.empty()) {
      const auto end = std::min(lines.find('\n'), lines.size() - 1) + 1;
      waiting_ += lines.substr(0, end);
      ++count_;
      lines.remove_prefix(end);
      if (waiting_.size() >= batch_bytes_) push();
    }
  }

  void flush() override {
    if (count_ > 0) push();
  }

  void disconnect() override {
    if (!queue_) return;
    if (count_ > 0) push();
    queue_->close();
    const auto reason = sender_->finish();
    const auto left = queue_->settle();
    sender_.reset();
    queue_.reset();
    if (left == 0) return;
    throw stoq::IoError("http: " + std::to_string(left) + " results could not be posted to " +
                        target_.url + " (" + reason + "); they are in '" + spool_ +
                        "', and the next run with this spool sends them");
  }

 private:
  static milliseconds seconds(stoq::Options& options, const char* key, double usual,
                              const char* help) {
    const auto value = options.get(key, usual, help);
    if (value < 0 || value > 86'400) {
      throw stoq::ConfigError(std::string("http: ") + key + " is no time from 0 to 86400 seconds");
    }
    return milliseconds(static_cast<std::int64_t>(value * 1000));
  }

  void push() {
    auto body = std::exchange(waiting_, {});
    const auto count = std::exchange(count_, 0);
    if (!text_key_.empty()) {
      if (body.empty()) return;  // nothing to say of any of them
      body = '{' + quoted(text_key_) + ": " + quoted(body) + "}\n";
    }
    queue_->push({run_ + "-" + std::to_string(next_++), count, std::move(body)});
  }

  http_connector::Target target_;
  http_connector::Sender::Patience patience_;
  std::size_t batch_bytes_ = 0, queue_bytes_ = 0;
  std::string spool_, run_, waiting_, text_key_;
  std::uint64_t count_ = 0, next_ = 0;
  std::unique_ptr<http_connector::BatchQueue> queue_;
  std::unique_ptr<http_connector::Sender> sender_;
};

}  // namespace

STOQ_PLUGIN(Http)
