#include "search.hpp"

#include "types.hpp"
#include "utf16.hpp"

namespace ioc {
namespace {

/// UTF-16 text is turned into plain text by this many characters at a time.
constexpr std::size_t wide_step = std::size_t{1} << 20U;

}  // namespace

Indicators::Wanted types_called(const std::vector<std::string>& names) {
  Indicators::Wanted wanted{};
  for (const auto& name : names) {
    const auto type = type_called(name);
    if (!type) throw stoq::ConfigError("types_list: unknown type '" + name + "'");
    wanted[index(*type)] = true;
  }
  if (names.empty()) throw stoq::ConfigError("types_list is empty");
  return wanted;
}

void Search::activate(stoq::Options& options) {
  wish_.types = types_called(options.get_list(
      "types_list", "indicators to look for (also yara_rule)",
      "url,domain,ipv4,ipv6,mac_address,email,md5,sha1,sha256,sha512,cve,registry_key,"
      "windows_path,unix_path"));
  for (const auto& file : options.get_list(
           "whitelist_file_list", "files of indicators not to report, a line each: type:pattern")) {
    allowed_.add_file(file);
  }
  tlds_ = std::make_unique<const Tlds>(options.get(
      "tld_file", "/usr/share/publicsuffix/public_suffix_list.dat",
      "top-level domains known besides those built in: a public suffix list, or IANA's list"));
  for (const auto& name : options.get_list(
           "ambiguous_tld_list",
           "top-level domains that are file extensions or words of programs too: a name that ends "
           "so is no domain, unless it is defanged, begins with www. or stands in a URL or e-mail "
           "address",
           "bar,call,cc,data,foo,got,inc,map,md,mov,name,new,next,now,open,pl,ps,py,rs,select,sh,"
           "show,so,style,target,zip")) {
    ambiguous_.insert(name);
  }
  wish_.most = options.get("max_per_type", std::size_t{1000},
                           "different indicators of a type to report; further matches are counted");
  utf16_ = options.get("utf16", true, "also search UTF-16 text among other bytes");
}

stoq::Value Search::run(const Texts& texts, const Wish& wish, const stoq::Request& request) const {
  if (texts.bytes.empty() && texts.read.empty()) return {};
  const auto scratch = scratch_.lease();
  scratch->found.start(wish.types, allowed_, wish.most);
  if (!search(texts.bytes, *scratch, request)) return {};
  if (texts.wide && !search_wide(texts.bytes, *scratch, request)) return {};
  if (!texts.read.empty() && !search(texts.read, *scratch, request)) return {};
  return scratch->found.take();
}

bool Search::search(std::string_view text, Scratch& scratch, const stoq::Request& request) const {
  Finder finder(*tlds_, ambiguous_, scratch.patterns, scratch.found);
  return finder.run(text, request) && find_hashes(text, request, scratch.found);
}

bool Search::search_wide(std::string_view bytes, Scratch& scratch,
                         const stoq::Request& request) const {
  Utf16Runs runs(bytes);
  scratch.narrow.clear();
  while (runs.append(scratch.narrow, wide_step)) {
    if (request.stop_requested() || !search(scratch.narrow, scratch, request)) return false;
    scratch.narrow.clear();
  }
  return true;
}

}  // namespace ioc
