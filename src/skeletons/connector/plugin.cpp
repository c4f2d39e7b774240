/// Writes results as lines of JSON to a file. Options: see template_name.stoq.
#include <fstream>
#include <string>

#include <stoq/plugin.hpp>

namespace {

class TemplateClass : public stoq::Connector {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    path_ = options.get("path", "results.jsonl", "the file to write");
  }

  void connect(stoq::ConnectorUse) override {
    file_.open(path_, std::ios::binary | std::ios::trunc);
    if (!file_) throw stoq::IoError(path_ + " cannot be opened for writing");
  }

  void save(std::string_view lines, std::size_t) override {
    file_.write(lines.data(), static_cast<std::streamsize>(lines.size()));
    if (!file_) throw stoq::IoError(path_ + " cannot be written: is the disk full?");
  }

  void disconnect() override {
    file_.close();
    if (!file_) throw stoq::IoError(path_ + " could not be finished");
  }

 private:
  std::string path_;
  std::ofstream file_;
};

}  // namespace

STOQ_PLUGIN(TemplateClass)
