/// One HTTP POST by libcurl (https://curl.se/libcurl/c/). One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <curl/curl.h>

#include "batch_queue.hpp"

namespace http_connector {

struct Target {
  std::string url;
  std::string type = "application/x-ndjson";  ///< of what is posted
  std::vector<std::string> headers;           ///< "Name: value", sent with each post
  std::string ca_file;                        ///< certificates to trust; empty: the system's
  std::chrono::milliseconds timeout{30'000};  ///< of one post
};

/// How a post ended.
struct Answer {
  enum class Kind : std::uint8_t {
    taken,    ///< 2xx
    refused,  ///< the far side does not want it, now or later
    failed    ///< worth another attempt
  };
  Kind kind = Kind::failed;
  std::string reason;
  std::chrono::seconds wait{0};  ///< what the far side asks for (Retry-After)
};

/// Throws ConfigError when the URL is no http or https one, or a header is malformed.
void check(const Target& target);

class Poster {
 public:
  /// `target` was checked. Throws IoError, ConfigError when libcurl cannot do it.
  explicit Poster(Target target);

  /// `attempt`: from 1.
  [[nodiscard]] Answer post(const Batch& batch, unsigned attempt);

 private:
  template <class T>
  void set(CURLoption option, T value);
  [[nodiscard]] Answer judge(CURLcode code);

  struct Clean {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  Target target_;
  std::string body_;  ///< the beginning of the answer
  std::unique_ptr<CURL, Clean> handle_;
};

}  // namespace http_connector
