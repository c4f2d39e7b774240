#include "witnesses.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace stoq::fakes {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

std::string stoq_file(std::string_view category, const std::string& name,
                      const std::string& options) {
  std::string text = "[Core]\nName = " + name + "\nModule = " + name +
                     "\n[Documentation]\nAuthor = a\nVersion = 1.2\nWebsite = w\n"
                     "Description = d\n[options]\n";
  if (category == "worker") text += "hashpayload = True\nsaveresults = True\n";
  if (category == "source") text += "multiprocess = False\n";
  return text + options;
}

Witnesses::Witnesses() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  std::string name = std::string("stoq_") + test->test_suite_name() + test->name();
  std::replace(name.begin(), name.end(), '/', '_');
  folder_ = fs::path(::testing::TempDir()) / (name + std::to_string(::getpid()));
  fs::create_directories(folder_);
  ::setenv("STOQ_JOURNAL", (folder_ / "journal").c_str(), 1);
  for (const auto* category : {"source", "worker", "connector"}) add(category, "w");
  const auto rules = read(STOQ_SOURCE_DISPATCHER);
  const std::regex named("(extractor|decoder|carver|worker):([a-z0-9_]+)");
  for (std::sregex_iterator at(rules.begin(), rules.end(), named), end; at != end; ++at) {
    add((*at)[1].str(), (*at)[2].str());
  }
}

Witnesses::~Witnesses() {
  ::unsetenv("STOQ_JOURNAL");
  fs::remove_all(folder_);
}

fs::path Witnesses::write(const fs::path& file, std::string_view text) const {
  fs::create_directories((folder_ / file).parent_path());
  std::ofstream(folder_ / file, std::ios::binary) << text;
  return folder_ / file;
}

fs::path Witnesses::add(std::string_view category, const std::string& name,
                        const std::string& options) const {
  const auto place = fs::path(category) / name;
  const auto file = write(place / (name + ".stoq"), stoq_file(category, name, options));
  const auto library = folder_ / place / (name + ".so");
  fs::remove(library);
  fs::create_symlink(fs::path(STOQ_FIXTURES) / ("witness_" + std::string(category) + ".so"),
                     library);
  return file;
}

engine::Config Witnesses::config() const {
  engine::Config config;
  config.plugin_dirs = {folder_.string()};
  config.source = "w";
  config.workers = {"w"};
  config.connector = "w";
  config.threads = 2;
  return config;
}

std::vector<std::string> Witnesses::journal() const { return journal(""); }

std::vector<std::string> Witnesses::journal(std::string_view prefix) const {
  std::vector<std::string> events;
  std::ifstream in(folder_ / "journal");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(prefix)) events.push_back(line);
  }
  return events;
}

std::size_t Witnesses::count(std::string_view event) const {
  const auto events = journal();
  return static_cast<std::size_t>(std::count(events.begin(), events.end(), event));
}

}  // namespace stoq::fakes
