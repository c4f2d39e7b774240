#include "cli/requirements.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string_view>

#include <unistd.h>

#include <stoq/error.hpp>

namespace stoq::cli {
namespace {

std::string listed(const std::vector<std::string>& names, std::string_view between) {
  std::string text;
  for (const auto& name : names) (text += text.empty() ? "" : between) += name;
  return text;
}

std::vector<std::string> missing(const std::vector<std::string>& names, const std::string& scratch,
                                 ChildPrograms& programs) {
  std::filesystem::remove(scratch);
  std::vector<std::string> words{"dpkg-query", "--show",
                                 "--showformat=${db:Status-Status} ${Package}\\n", "--"};
  words.insert(words.end(), names.begin(), names.end());
  // Its exit code says only that some are not known.
  (void)programs.run({.words = std::move(words), .log = scratch, .environment = {{"LC_ALL", "C"}}});
  std::set<std::string> installed;
  std::ifstream file(scratch);
  constexpr std::string_view status = "installed ";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(status)) installed.insert(line.substr(status.size()));
  }
  std::vector<std::string> rest;
  std::copy_if(names.begin(), names.end(), std::back_inserter(rest),
               [&](const std::string& name) { return !installed.contains(name); });
  return rest;
}

}  // namespace

void require(const std::vector<std::string>& names, bool may_install, const std::string& scratch,
             ChildPrograms& programs) {
  if (names.empty()) return;
  auto wanted = missing(names, scratch, programs);
  if (wanted.empty()) return;
  const std::string apt = "apt-get install ";
  if (!may_install) {
    throw ConfigError("it needs packages that are not installed: " + listed(wanted, ", ") +
                      "; install them with '" + apt + listed(wanted, " ") +
                      "', or say --with-requirements");
  }
  std::vector<std::string> words{"apt-get", "install", "--yes", "--no-install-recommends"};
  if (::geteuid() != 0) words.insert(words.begin(), "sudo");
  words.insert(words.end(), wanted.begin(), wanted.end());
  const int code = programs.run({.words = std::move(words), .log = {}, .environment = {}});
  wanted = missing(names, scratch, programs);
  if (wanted.empty()) return;
  throw IoError("apt-get (exit code " + std::to_string(code) + ") did not install " +
                listed(wanted, ", "));
}

}  // namespace stoq::cli
