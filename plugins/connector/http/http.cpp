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

class Http : public stoq::Connector {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    target_.url = options.get("url", "", "where to post to, http:// or https://");
    target_.headers = options.get_list("header_list", "headers to send, as Name: value");
    target_.ca_file = options.get("ca_file", "", "certificates to trust instead of the system's");
    target_.timeout = seconds(options, "timeout", 30, "seconds for one post");
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

  void save(std::string_view lines, std::size_t) override {
    if (const auto refusal = sender_->refusal(); !refusal.empty()) {
      throw stoq::IoError("http: " + target_.url + " takes no results: " + refusal);
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
    queue_->push({run_ + "-" + std::to_string(next_++), std::exchange(count_, 0),
                  std::exchange(waiting_, {})});
  }

  http_connector::Target target_;
  http_connector::Sender::Patience patience_;
  std::size_t batch_bytes_ = 0, queue_bytes_ = 0;
  std::string spool_, run_, waiting_;
  std::uint64_t count_ = 0, next_ = 0;
  std::unique_ptr<http_connector::BatchQueue> queue_;
  std::unique_ptr<http_connector::Sender> sender_;
};

}  // namespace

STOQ_PLUGIN(Http)
