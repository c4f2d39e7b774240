#include "post.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include <stoq/error.hpp>

namespace http_connector {
namespace {

constexpr std::size_t most_body = 200;

std::size_t take_body(char* data, std::size_t /*size*/, std::size_t count, void* body) {
  auto& text = *static_cast<std::string*>(body);
  text.append(data, std::min(count, most_body - std::min(most_body, text.size())));
  return count;
}

void check_url(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  char* scheme = nullptr;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
    throw stoq::ConfigError("http: '" + url + "' is no URL; write http://HOST:PORT/PATH, or https");
  }
  const std::string word = scheme;
  curl_free(scheme);
  if (word != "http" && word != "https") {
    throw stoq::ConfigError("http: '" + url + "' is neither http nor https");
  }
}

}  // namespace

template <class T>
void Poster::set(CURLoption option, T value) {
  if (const auto code = curl_easy_setopt(handle_.get(), option, value); code != CURLE_OK) {
    throw stoq::ConfigError(std::string("http: libcurl refuses an option: ") +
                            curl_easy_strerror(code));
  }
}

void check(const Target& target) {
  check_url(target.url);
  for (const auto& header : target.headers) {
    if (header.find(':') == header.npos || header.find_first_of("\r\n") != header.npos) {
      throw stoq::ConfigError("http: header_list: '" + header + "' is not 'Name: value'");
    }
  }
}

Poster::Poster(Target target) : target_(std::move(target)), handle_(curl_easy_init()) {
  if (!handle_) throw stoq::IoError("http: libcurl cannot start");
  set(CURLOPT_URL, target_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_POST, 1L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!target_.ca_file.empty()) set(CURLOPT_CAINFO, target_.ca_file.c_str());
  set(CURLOPT_TIMEOUT_MS, long{target_.timeout.count()});
  set(CURLOPT_WRITEFUNCTION, take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&body_));
  set(CURLOPT_USERAGENT, "stoq");
}

Answer Poster::post(const Batch& batch, unsigned attempt) {
  std::unique_ptr<curl_slist, Clean> headers;
  const auto add = [&](const std::string& header) {
    auto* longer = curl_slist_append(headers.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    (void)headers.release();
    headers.reset(longer);
  };
  add("Content-Type: " + target_.type);
  add("Idempotency-Key: " + batch.key);
  add("Stoq-Attempt: " + std::to_string(attempt));
  // libcurl would ask whether to send, and wait a second for an answer.
  add("Expect:");
  for (const auto& header : target_.headers) add(header);
  body_.clear();
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_POSTFIELDS, batch.lines.data());
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(batch.lines.size()));
  return judge(curl_easy_perform(handle_.get()));
}

Answer Poster::judge(CURLcode code) {
  // No wait changes what the far side is.
  const bool untrusted = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
  if (code != CURLE_OK) {
    return {untrusted ? Answer::Kind::refused : Answer::Kind::failed, curl_easy_strerror(code), {}};
  }
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return {Answer::Kind::taken, {}, {}};
  curl_off_t wait = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RETRY_AFTER, &wait);
  // RFC 9110: 408 and 429 are of the moment, as 5xx are.
  const bool again = status >= 500 || status == 408 || status == 429;
  auto reason = "status " + std::to_string(status);
  for (auto& letter : body_) {
    if (static_cast<unsigned char>(letter) < ' ') letter = ' ';
  }
  if (!body_.empty()) reason += ": " + body_;
  return {again ? Answer::Kind::failed : Answer::Kind::refused, reason, std::chrono::seconds(wait)};
}

}  // namespace http_connector
