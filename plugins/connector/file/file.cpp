/// Results in a file, as JSON Lines, compressed if its name says so.
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <stoq/plugin.hpp>

#include "encoder.hpp"
#include "output_file.hpp"

namespace {

constexpr std::size_t block_size = std::size_t{1} << 20;

class File : public stoq::Connector {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    path_ = options.get("path", "", "the file to write; .gz and .zst are compressed");
    level_ = options.get<int>("level", 0,
                              "how hard to compress (gzip 1-12, Zstandard 1-22); "
                              "0: the format's usual level");
    sync_ = options.get("sync", false, "wait until the disk has it all before the file is renamed");
  }

  /// Without a path the plugin can still be described, but not used.
  void connect() override {
    if (path_.empty()) {
      throw stoq::ConfigError(
          "file: no path; say where to write with -o FILE or "
          "--option file.path=FILE");
    }
    encoder_ = file_connector::make_encoder(path_, level_);
    output_ = std::make_unique<file_connector::OutputFile>(path_);
    waiting_.reserve(2 * block_size);
  }

  void save(std::string_view lines, std::size_t) override {
    waiting_ += lines;
    if (waiting_.size() >= block_size) flush();
  }

  /// After a failed write nothing is renamed: the name stands for whole files only.
  void disconnect() override {
    if (!output_) return;
    if (!waiting_.empty()) flush();
    write(encoder_->finish());
    output_->finish(sync_);
    output_.reset();
  }

 private:
  void flush() {
    write(encoder_->encode(waiting_));
    waiting_.clear();
  }

  void write(std::string_view bytes) {
    if (!output_) throw stoq::IoError("file: results were lost by an earlier failure");
    try {
      output_->write(bytes);
    } catch (const stoq::IoError&) {
      output_.reset();
      throw;
    }
  }

  std::string path_, waiting_;
  int level_ = 0;
  bool sync_ = false;
  std::unique_ptr<file_connector::Encoder> encoder_;
  std::unique_ptr<file_connector::OutputFile> output_;
};

}  // namespace

STOQ_PLUGIN(File)
