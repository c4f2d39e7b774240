/// New files in folders, as they come.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <stoq/plugin.hpp>

#include "monitor.hpp"

namespace {

class Dirmon : public stoq::Source {
 public:
  void activate(stoq::Options& options, stoq::Host& host) override {
    host_ = &host;
    settings_.recursive = options.get("recursive", true, "watch folders below them as well");
    settings_.existing = options.get("existing", false, "scan what is there at the beginning, too");
    settings_.idle_seconds = options.get(
        "idle_seconds", 0.0, "end when nothing came for so many seconds; 0: when told to");
    settings_.most_files =
        options.get("most_files", std::uint64_t{0}, "end after so many files; 0: when told to");
    settings_.remember = options.get("remember", std::size_t{200'000},
                                     "files that are known again under another name, about 150 "
                                     "bytes each");
    if (settings_.idle_seconds < 0) options.refuse("idle_seconds", "a number from 0 on");
    if (settings_.remember == 0) options.refuse("remember", "a number from 1 on");
  }

  void ingest(const stoq::Input& input, stoq::Intake& intake) override {
    if (!input.files_from.empty()) {
      throw stoq::ConfigError("dirmon: watches folders, and takes no --files-from; name them");
    }
    if (input.paths.empty()) throw stoq::ConfigError("dirmon: nothing to watch; name a folder");
    std::vector<std::string> folders;
    for (std::size_t i = input.instance; i < input.paths.size(); i += input.instances) {
      folders.push_back(input.paths[i]);
    }
    if (!folders.empty()) dirmon::Monitor(settings_, input, intake, *host_).run(folders);
  }

  [[nodiscard]] bool is_endless() const noexcept override { return true; }

 private:
  dirmon::Settings settings_;
  stoq::Host* host_ = nullptr;
};

}  // namespace

STOQ_PLUGIN(Dirmon)
