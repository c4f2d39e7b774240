/// Results in a file, as JSON Lines or one JSON array, compressed if its name says so; payloads as
/// files named by their hash.
#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <stoq/plugin.hpp>

#include "archive_folder.hpp"
#include "encoder.hpp"
#include "output_file.hpp"
#include "source_files.hpp"

namespace {

constexpr std::size_t block_size = std::size_t{1} << 20;

class File : public stoq::Connector {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    path_ = options.get("path", "", "the file to write; .gz and .zst are compressed");
    const auto form = options.get("form", "jsonl", "jsonl: a line a result; json: one array");
    if (form != "jsonl" && form != "json") {
      throw stoq::ConfigError("file: form is '" + form + "'; expected jsonl or json");
    }
    as_array_ = form == "json";
    appends_ = options.get("append", false, "add to what is in the file, in place of replacing it");
    if (appends_ && as_array_) options.refuse("form", "jsonl: nothing can be added to an array");
    level_ = options.get<int>("level", 0,
                              "how hard to compress (gzip 1-12, Zstandard 1-22); "
                              "0: the format's usual level");
    sync_ = options.get("sync", false, "wait until the disk has it all before a file is renamed");
    archive_base_ = options.get("archive_base", "", "folder that payloads are archived in");
    source_bases_ = options.get_list(
        "source_base_tuple", "folders below which files may be fetched by path; none: nowhere");
  }

  /// Without its paths the plugin can still be described, but not used.
  void connect(stoq::ConnectorUse use) override {
    if (use.archive && archive_base_.empty()) {
      throw stoq::ConfigError(
          "file: no archive_base; say where to archive with --option file.archive_base=DIR");
    }
    if (!archive_base_.empty()) archive_.emplace(archive_base_, sync_);
    if (use.archive) archive_->prepare();
    if (use.fetch) sources_.emplace(source_bases_);
    if (use.results) open_results();
  }

  void save(std::string_view lines, std::size_t) override {
    if (as_array_) {
      append_items(lines);
    } else {
      waiting_ += lines;
    }
    if (waiting_.size() >= block_size) write_waiting();
  }

  /// What is compressed or an array can be read once it is whole: nothing is gained before.
  void flush() override {
    if (encoder_->is_plain() && !as_array_ && !waiting_.empty()) write_waiting();
  }

  [[nodiscard]] bool takes_text() const noexcept override { return !as_array_; }

  [[nodiscard]] bool archives() const noexcept override { return true; }
  bool archive(const stoq::Payload& payload, const stoq::ArchiveInfo& info) const override {
    return archive_->keep(info.sha256, payload.view());
  }

  void get_file(const stoq::FileQuery& query, stoq::Buffer& out) const override {
    if (query.hash.empty()) return sources_->get(query.path, out);
    if (!archive_) {
      throw stoq::IoError(
          "file: no archive_base; say where the archive is with --option file.archive_base=DIR");
    }
    archive_->get(query.hash, out);
  }

  /// After a failed write nothing is renamed: the name stands for whole files only.
  void disconnect() override {
    if (!output_) return;
    if (as_array_) waiting_ += items_ ? "\n]\n" : "[]\n";
    if (!waiting_.empty()) write_waiting();
    write(encoder_->finish());
    output_->finish(sync_);
    output_.reset();
  }

 private:
  void open_results() {
    if (path_.empty()) {
      throw stoq::ConfigError(
          "file: no path; say where to write with -o FILE or "
          "--option file.path=FILE");
    }
    using file_connector::Blocks, file_connector::Mode;
    encoder_ =
        file_connector::make_encoder(path_, level_, appends_ ? Blocks::apart : Blocks::joined);
    output_ = std::make_unique<file_connector::OutputFile>(path_,
                                                           appends_ ? Mode::append : Mode::replace);
    waiting_.reserve(2 * block_size);
    // A run that was killed may have left half a line; ours is not to become part of it.
    if (output_->ends_in_line() && encoder_->is_plain()) waiting_ += '\n';
  }

  /// Every line is an item; a line break inside one would be escaped.
  void append_items(std::string_view lines) {
    while (!lines.empty()) {
      const auto end = std::min(lines.find('\n'), lines.size());
      waiting_ += items_ ? ",\n" : "[\n";
      waiting_ += lines.substr(0, end);
      items_ = true;
      lines.remove_prefix(std::min(end + 1, lines.size()));
    }
  }

  void write_waiting() {
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

  std::string path_, waiting_, archive_base_;
  std::vector<std::string> source_bases_;
  int level_ = 0;
  bool sync_ = false, as_array_ = false, appends_ = false, items_ = false;
  std::unique_ptr<file_connector::Encoder> encoder_;
  std::unique_ptr<file_connector::OutputFile> output_;
  std::optional<file_connector::ArchiveFolder> archive_;
  std::optional<file_connector::SourceFiles> sources_;
};

}  // namespace

STOQ_PLUGIN(File)
