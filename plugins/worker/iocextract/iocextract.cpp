/// Indicators of compromise in any payload, text or not: see iocextract.stoq for the options.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/plugin.hpp>

#include "allowlist.hpp"
#include "finder.hpp"
#include "indicators.hpp"
#include "patterns.hpp"
#include "tlds.hpp"
#include "types.hpp"
#include "utf16.hpp"

namespace {

/// UTF-16 text is turned into plain text by this many characters at a time.
constexpr std::size_t wide_step = std::size_t{1} << 20U;

/// What a scan needs and is dear to make.
struct Scratch {
  ioc::Patterns patterns;
  ioc::Indicators found;
  std::string narrow;
};

class IocExtract : public stoq::Worker {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    read_types(options.get_list(
        "types_list", "indicators to look for (also yara_rule)",
        "url,domain,ipv4,ipv6,mac_address,email,md5,sha1,sha256,sha512,cve,registry_key,"
        "windows_path,unix_path"));
    for (const auto& file :
         options.get_list("whitelist_file_list",
                          "files of indicators not to report, a line each: type:pattern")) {
      allowed_.add_file(file);
    }
    tlds_ = std::make_unique<const ioc::Tlds>(options.get(
        "tld_file", "/usr/share/publicsuffix/public_suffix_list.dat",
        "a public suffix list, whose top-level domains are known besides those built in"));
    for (
        const auto& name : options.get_list(
            "ambiguous_tld_list",
            "top-level domains that are file extensions or words of programs too: a name that ends "
            "so is no domain, unless it is defanged, begins with www. or stands in a URL or e-mail "
            "address",
            "bar,call,cc,data,foo,got,inc,map,md,mov,name,new,next,now,open,pl,ps,py,rs,select,sh,"
            "show,so,"
            "style,target,zip")) {
      ambiguous_.insert(name);
    }
    most_ = options.get("max_per_type", most_,
                        "different indicators of a type to report; further matches are counted");
    utf16_ = options.get("utf16", utf16_, "also search UTF-16 text among other bytes");
  }

  [[nodiscard]] bool reads_name() const noexcept override { return false; }

  stoq::Value scan(const stoq::Payload& payload, const stoq::Request& request) const override {
    const auto text = stoq::as_chars(payload.view());
    if (text.empty()) return {};
    const auto scratch = scratch_.lease();
    scratch->found.start(wanted_, allowed_, most_);
    if (!search(text, *scratch, request)) return {};
    if (utf16_ && !search_wide(text, *scratch, request)) return {};
    return scratch->found.take();
  }

 private:
  void read_types(const std::vector<std::string>& names) {
    for (const auto& name : names) {
      const auto type = ioc::type_called(name);
      if (!type) throw stoq::ConfigError("iocextract: types_list: unknown type '" + name + "'");
      wanted_[ioc::index(*type)] = true;
    }
    if (names.empty()) throw stoq::ConfigError("iocextract: types_list is empty");
  }

  [[nodiscard]] bool search(std::string_view text, Scratch& scratch,
                            const stoq::Request& request) const {
    ioc::Finder finder(*tlds_, ambiguous_, scratch.patterns, scratch.found);
    return finder.run(text, request) && ioc::find_hashes(text, request, scratch.found);
  }

  [[nodiscard]] bool search_wide(std::string_view bytes, Scratch& scratch,
                                 const stoq::Request& request) const {
    ioc::Utf16Runs runs(bytes);
    scratch.narrow.clear();
    while (runs.append(scratch.narrow, wide_step)) {
      if (request.stop_requested() || !search(scratch.narrow, scratch, request)) return false;
      scratch.narrow.clear();
    }
    return true;
  }

  ioc::Indicators::Wanted wanted_{};
  ioc::Allowlist allowed_;
  std::unique_ptr<const ioc::Tlds> tlds_;
  ioc::StringSet ambiguous_;
  std::size_t most_ = 1000;
  bool utf16_ = true;
  stoq::PerThread<Scratch> scratch_;
};

}  // namespace

STOQ_PLUGIN(IocExtract)
