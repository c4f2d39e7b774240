/// Files that messages name, as stoQ's queues do: one JSON object a line.
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <stoq/plugin.hpp>

#include "glob.hpp"
#include "line_reader.hpp"
#include "message.hpp"

namespace {

using stoq::common::LineReader;

constexpr std::size_t most_message = std::size_t{1} << 20;

class Messages : public stoq::Source {
 public:
  void activate(stoq::Options& options, stoq::Host& host) override {
    host_ = &host;
    archives_ =
        options.get_list("archive_list", "connectors that messages may name as archive", "file");
  }

  void ingest(const stoq::Input& input, stoq::Intake& intake) override {
    auto paths = input.paths;
    if (!input.files_from.empty()) paths.push_back(input.files_from);
    if (paths.empty()) {
      throw stoq::ConfigError(
          "messages: none to read; name a file of them, or - for standard input");
    }
    const stoq::common::Filter filter(input.include, input.exclude);
    for (std::size_t i = input.instance; i < paths.size(); i += input.instances) {
      if (!read(paths[i], filter, intake)) return;
    }
  }

  [[nodiscard]] std::vector<std::string> fetches_from() const override { return archives_; }

 private:
  /// False: stop.
  bool read(const std::string& path, const stoq::common::Filter& filter, stoq::Intake& intake) {
    LineReader lines(path, {.what = "messages: cannot read", .most = most_message});
    const auto go_on = [&] {
      intake.flush();
      return !intake.stopping();
    };
    while (const auto line = lines.next(go_on)) {
      if (!intake.put(root_of(*line, path, filter))) return false;
    }
    return !intake.stopping();
  }

  stoq::Root root_of(const LineReader::Line& line, const std::string& path,
                     const stoq::common::Filter& filter) const {
    try {
      if (line.too_long) throw stoq::MalformedInput("larger than 1 MiB");
      auto root = messages::root_of(host_->parse_json(line.text));
      root.message = filter.refuse_file(root.path);
      if (!root.message.empty()) root.status = stoq::Status::filtered;
      return root;
    } catch (const stoq::MalformedInput& error) {
      stoq::Root root;
      root.path = (path == "-" ? "standard input" : path) + ":" + std::to_string(line.number);
      root.status = stoq::Status::corrupt;
      root.message = std::string("no message that can be read: ") + error.what();
      return root;
    }
  }

  std::vector<std::string> archives_;
  stoq::Host* host_ = nullptr;
};

}  // namespace

STOQ_PLUGIN(Messages)
