/// Compares payloads with the indicators of STIX files: see indicators.stoq for the options.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

#include "bundle_files.hpp"
#include "facts.hpp"
#include "readable.hpp"
#include "watchlist.hpp"

namespace {

using stix::Kind;

/// Of one payload. The engine's own limit comes first where a payload is that slow.
constexpr int yara_seconds = 60;
/// Problems that are logged one by one.
constexpr std::size_t most_logged = 20;

class Indicators : public stoq::Worker {
 public:
  void activate(stoq::Options& options, stoq::Host& host) override {
    const auto paths = options.get_list(
        "stix_list", "files of STIX, and folders of them (.json, .xml, .stix), to compare with");
    const bool observables = options.get(
        "observables", false, "things that were seen count as indicators, not only indicators");
    most_ = options.get("max_matches", most_, "indicators to report of a payload, at most");
    most_found_ = options.get("max_indicators", most_found_,
                              "domains (addresses, …) of a payload to compare, at most");
    readable_.activate(options, host);
    if (paths.empty()) {
      throw stoq::ConfigError(
          "stix_list is empty; name files or folders of STIX, such as "
          "--option indicators.stix_list=FOLDER");
    }
    load(paths, observables, host);
    for (std::size_t i = 0; i < stix::kind_names.size(); ++i) {
      if (!stix::is_in_text(static_cast<Kind>(i)) || !watchlist_.wanted()[i]) continue;
      types_.emplace_back(stix::kind_names[i]);
    }
    if (!types_.empty()) iocs_ = &host.needed_reader("iocregex");
  }

  [[nodiscard]] bool reads_name() const noexcept override {
    return watchlist_.wanted()[index(Kind::name)];
  }

  stoq::Value scan(const stoq::Payload& payload, const stoq::Request& request) const override {
    stix::Facts facts;
    add_own_facts(payload, watchlist_.wanted(), facts);
    if (iocs_ != nullptr) search(payload, request, facts);
    if (request.stop_requested()) return {};
    const auto hits = watchlist_.yara().scan(payload.view(), yara_seconds);
    auto result = watchlist_.match(payload.view(), facts, hits, most_);
    if (!facts.error.empty()) result.add("error", facts.error);
    return result;
  }

 private:
  void load(const std::vector<std::string>& paths, bool observables, stoq::Host& host) {
    const auto& reader = host.needed_reader("stix");
    for (const auto& file : stix::bundle_files(paths)) {
      stoq::Payload payload;
      payload.bytes = stoq::Bytes::own(stix::read_file(file));
      payload.name = file;
      try {
        const auto read = reader.read(payload, {});
        if (read.is_null()) {
          host.log(stoq::LogLevel::warning, file + ": no STIX; it is left out");
          continue;
        }
        watchlist_.add(read, file, observables);
      } catch (const stoq::MalformedInput& error) {
        throw stoq::ConfigError(file + ": " + error.what() + "; mend it, or leave it out");
      }
    }
    watchlist_.finish();
    log_problems(host);
    if (watchlist_.size() == 0) {
      throw stoq::ConfigError("stix_list: there is no indicator in it that can be searched for" +
                              std::string(observables ? ""
                                                      : " (observables = True takes what was "
                                                        "seen as indicators)"));
    }
  }

  void log_problems(stoq::Host& host) const {
    const auto& problems = watchlist_.problems();
    for (std::size_t i = 0; i < problems.size() && i < most_logged; ++i) {
      host.log(stoq::LogLevel::warning, problems[i].id + ": " + problems[i].reason);
    }
    if (problems.size() > most_logged) {
      host.log(stoq::LogLevel::warning,
               std::to_string(problems.size() - most_logged) + " further parts are not understood");
    }
    host.log(stoq::LogLevel::info, std::to_string(watchlist_.size()) + " indicators");
  }

  /// Finds in the payload's bytes, and in the text that they do not show, what is asked for.
  void search(const stoq::Payload& payload, const stoq::Request& request,
              stix::Facts& facts) const {
    const stoq::Value args{{"types_list", types_}, {"max_per_type", most_found_}};
    const auto own = stoq::common::with_args(request, args);
    add_found(iocs_->read(payload, own), facts);
    const auto read = readable_.read(payload, request);
    if (!read.error.empty()) facts.error = read.error;
    if (read.text.empty()) return;
    stoq::Payload text;
    text.bytes = stoq::Bytes::own(std::string(read.text));
    add_found(iocs_->read(text, own), facts);
  }

  stix::Watchlist watchlist_;
  stoq::common::Readable readable_;
  const stoq::Reader* iocs_ = nullptr;  ///< null: nothing is to be found in text
  stoq::Value::Array types_;
  std::size_t most_ = 1000;
  std::size_t most_found_ = 1'000'000;
};

}  // namespace

STOQ_PLUGIN(Indicators)
