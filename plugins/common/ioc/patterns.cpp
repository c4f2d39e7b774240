#include "patterns.hpp"

#include <algorithm>

namespace ioc {
namespace {

const std::string label = R"([A-Za-z0-9_-]+)";
/// A dot taken apart: [.] (.) {.} <.> [dot] [. .] \. with at most one blank on either side.
const std::string odd_dot =
    R"((?: ?[\[({<][ \t]{0,2}(?:\.|(?i:dot))[ \t]{0,2}[\])}>] ?|[\[({]\.|\.[\])}]|\\\.))";
/// The same with more blanks and brackets, unbalanced ones too, and as a word.
const std::string spoken_dot =
    R"((?:[ \t]{0,8}(?:[\[({<][ \t]{0,4}){1,8}(?:\.|(?i:dot))(?:[ \t]{0,4}[\])}>]){0,8}[ \t]{0,8})"
    R"(|[ \t]{1,4}(?i:dot)[ \t]{1,4}|/(?i:dot)/|\.[\])}]|\\\.))";
const std::string octet = R"((?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]))";
/// What a component of a Windows path or registry key may hold besides blanks.
const std::string part = R"([!#$%&()+\-.0-9=@A-Z\[\]^_`a-z{}~]+)";
// A blank belongs to a component only where a further component follows.
const std::string words = "(?:[!#$%&()+.0-9=@A-Z^_`a-z{}~-]*[A-Za-z0-9_&+-] ){0,6}";
const std::string windows_parts = R"((?:\\{1,2})" + words + part + R"()*\\{1,2})" + part;

/// Single backslashes, or all of them doubled as in source code.
const std::string unc = R"((?:\\\\[A-Za-z0-9][A-Za-z0-9._-]{2,}\\[A-Za-z0-9_.$-]{2,}(?:(?:\\)" +
                        words + part + R"()*\\)" + part + ")?" +
                        R"(|\\\\\\\\[A-Za-z0-9][A-Za-z0-9._-]{2,}\\\\[A-Za-z0-9_.$-]{2,}(?:\\\\)" +
                        part + ")*)";

RE2::Options options() {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);
  options.set_log_errors(false);
  return options;
}

}  // namespace

Pattern::Pattern(const std::string& expression) : expression_(expression, options()) {}

std::size_t Pattern::match_at(std::string_view text, std::size_t at, std::size_t window) const {
  if (at >= text.size()) return 0;
  const auto part_of_text = text.substr(at, window);
  re2::StringPiece match;
  const bool found = expression_.Match(re2::StringPiece(part_of_text.data(), part_of_text.size()),
                                       0, part_of_text.size(), RE2::ANCHOR_START, &match, 1);
  return found ? match.size() : 0;
}

std::string_view Pattern::find(std::string_view text, std::size_t at) const {
  re2::StringPiece match;
  if (at > text.size() || !expression_.Match(re2::StringPiece(text.data(), text.size()), at,
                                             text.size(), RE2::UNANCHORED, &match, 1)) {
    return {};
  }
  return {match.data(), match.size()};
}

std::string Pattern::replaced(std::string text, std::string_view by) const {
  RE2::GlobalReplace(&text, expression_, re2::StringPiece(by.data(), by.size()));
  return text;
}

Patterns::Patterns()
    : host(label + R"((?:(?:\.|)" + odd_dot + ")" + label + ")+"),
      url_host(label + R"((?:(?:\.|,|)" + odd_dot + ")" + label + ")+"),
      email_host(label + R"((?:(?:\.|)" + spoken_dot + ")" + label + ")+"),
      spoken_host(label + R"((?:\.)" + label + ")*" + spoken_dot + label + R"((?:(?:\.|)" +
                  spoken_dot + ")" + label + ")*"),
      any_dot("(?:" + spoken_dot + "|,)"),
      at(R"([\[({<][ \t]{0,4}(?:@|(?i:at))[ \t]{0,4}[\])}>][ \t]{0,4}|/(?i:at)/)"),
      separator(R"(:(?://|\\/\\/|\\\\|\[//\]|\(//\))|[\[({]:[\])}](?://|\\\\)|[\[({]://[\])}])"),
      user(R"([A-Za-z0-9._~!$&'()*+,;=:%-]+@)"),
      ipv6_literal(R"(\[[0-9A-Fa-f:]{2,39}(?:[0-9.]{7,15})?\])"),
      ipv6_bare(R"([0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){2,7})"),
      url_rest(R"((?:[\[({]?:[\])}]?[0-9]{1,5})?)"
               R"((?:(?:[/?#]|[\[({][/?][\])}])[!#-&(-;=?-Z\[\]_a-z~]*)?)"),
      any_bracketed(R"([\[({]([./:?])[\])}])"),
      ipv4("(?:" + octet + R"(\.){3})" + octet),
      mac(R"([0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5}))"),
      cve(R"((?i:cve)-(?:1999|20[0-9][0-9])-[0-9]{4,7})"),
      windows_tail(windows_parts),
      quoted_tail(R"((?:\\{1,2}[ !#$%&()+,\-.0-9;=@A-Z\[\]^_`a-z{}~]+)+)"),
      unc_tail(unc),
      unix_path(
          R"(/(?:Applications|Library|System|Users|Volumes|bin|boot|data|dev|etc|home|lib|)"
          R"(lib32|lib64|media|mnt|opt|private|proc|root|run|sbin|sdcard|srv|storage|sys|tmp|)"
          R"(usr|var)(?:/[A-Za-z0-9._+@%~-]+)+/?)"),
      home_tail(R"((?:/[A-Za-z0-9._+@%~-]+)+/?)"),
      yara_rule(
          R"((?s)(?:^|\s)(?:(?:(?:import|include)\s+"[^"\n]*"|//[^\n]*\n|/\*[^*]*\*/)\s*)*)"
          R"((?:(?:private|global)\s+)*rule\s+[A-Za-z_][A-Za-z0-9_]*\s*(?::[\sA-Za-z0-9_]*)?\{)"
          R"((?:"(?:[^"\\\n]|\\[^\n])*"|\{[^{}]*\}|[^"{}])*?\bcondition\s*:)"
          R"((?:"(?:[^"\\\n]|\\[^\n])*"|[^"}])*\})") {}

}  // namespace ioc
