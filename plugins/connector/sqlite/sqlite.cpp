/// Results and payloads in one SQLite file.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <stoq/plugin.hpp>

#include "database.hpp"
#include "payloads.hpp"
#include "records.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using sqlite_connector::Database;

constexpr std::uint64_t most_rows = 20'000;
constexpr std::uint64_t most_bytes = std::uint64_t{32} << 20;
constexpr std::chrono::seconds longest{1};

/// What a run does with the file: writes in transactions of many rows. One thread at a time.
class Writer {
 public:
  Writer(const std::string& path, Database::Mode mode, std::chrono::milliseconds wait, bool sync)
      : database_(path, mode, wait, sync), payloads_(database_) {
    if (mode == Database::Mode::write) records_.emplace(database_);
  }

  void save(std::string_view lines) {
    while (!lines.empty()) {
      begin();
      const auto end = std::min(lines.find('\n'), lines.size());
      records_->add(lines.substr(0, end));
      lines.remove_prefix(std::min(end + 1, lines.size()));
      count(end);
    }
  }

  bool archive(std::string_view sha256, stoq::ByteView bytes) {
    begin();
    const bool is_new = payloads_.add(sha256, bytes);
    if (is_new) count(bytes.size());
    return is_new;
  }

  void get(std::string_view sha256, stoq::Buffer& out) { payloads_.get(sha256, out); }

  void flush() { commit(); }

  /// Throws IoError when anything that was taken is not in the file.
  void finish() {
    commit();
    if (lost_ != 0) {
      throw stoq::IoError("sqlite: " + std::to_string(lost_) +
                          " results and payloads are not in '" + database_.path() +
                          "': " + reason_);
    }
  }

 private:
  void begin() {
    // SQLite ends a transaction by itself when the disk is full, and takes back what was in it.
    if (rows_ > 0 && sqlite3_get_autocommit(database_.get()) != 0) lose("the disk was full");
    if (sqlite3_get_autocommit(database_.get()) == 0) return;
    database_.run("BEGIN IMMEDIATE");
    rows_ = bytes_ = 0;
    began_ = Clock::now();
  }
  void count(std::uint64_t bytes) {
    ++rows_;
    bytes_ += bytes;
    if (rows_ >= most_rows || bytes_ >= most_bytes || Clock::now() - began_ >= longest) commit();
  }
  void commit() {
    if (rows_ > 0 && sqlite3_get_autocommit(database_.get()) != 0) lose("the disk was full");
    if (sqlite3_get_autocommit(database_.get()) != 0) return;
    try {
      database_.run("COMMIT");
      rows_ = 0;
    } catch (const stoq::IoError& error) {
      sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
      lose(error.what());
    }
  }
  void lose(const std::string& reason) {
    if (lost_ == 0) reason_ = reason;
    lost_ += std::exchange(rows_, 0);
  }

  Database database_;
  sqlite_connector::Payloads payloads_;
  std::optional<sqlite_connector::Records> records_;
  std::uint64_t rows_ = 0, bytes_ = 0;  ///< of the open transaction
  std::uint64_t lost_ = 0;
  std::string reason_;
  Clock::time_point began_{};
};

class Sqlite : public stoq::Connector {
 public:
  void activate(stoq::Options& options, stoq::Host&) override {
    path_ = options.get("path", "", "the database; made if it is not there, added to if it is");
    wait_ = options.get<std::uint32_t>("wait", 10, "seconds to wait for others that write to it");
    sync_ = options.get("sync", false, "wait for the disk after each transaction");
  }

  void connect(stoq::ConnectorUse use) override {
    if (path_.empty()) {
      throw stoq::ConfigError(
          "sqlite: no path; name the database with -o FILE or --option sqlite.path=FILE");
    }
    const auto mode = use.results || use.archive ? Database::Mode::write : Database::Mode::read;
    constexpr std::uint32_t most_seconds = 86'400;
    writer_ = std::make_unique<Writer>(path_, mode,
                                       std::chrono::seconds(std::min(wait_, most_seconds)), sync_);
  }

  void save(std::string_view lines, std::size_t) override {
    const std::lock_guard lock(mutex_);
    writer_->save(lines);
  }

  void flush() override {
    const std::lock_guard lock(mutex_);
    writer_->flush();
  }

  [[nodiscard]] bool archives() const noexcept override { return true; }
  bool archive(const stoq::Payload& payload, const stoq::ArchiveInfo& info) const override {
    const std::lock_guard lock(mutex_);
    return writer_->archive(info.sha256, payload.view());
  }

  void get_file(const stoq::FileQuery& query, stoq::Buffer& out) const override {
    constexpr std::size_t sha256_digits = 64;
    if (query.hash.size() != sha256_digits) {
      throw stoq::IoError("sqlite: files are kept by their SHA-256 (64 hex digits), not by path");
    }
    const std::lock_guard lock(mutex_);
    writer_->get(query.hash, out);
  }

  void disconnect() override {
    if (!writer_) return;
    const auto writer = std::move(writer_);
    writer->finish();
  }

 private:
  std::string path_;
  std::uint32_t wait_ = 10;
  bool sync_ = false;
  mutable std::mutex mutex_;  ///< guards what the writer points to
  std::unique_ptr<Writer> writer_;
};

}  // namespace

STOQ_PLUGIN(Sqlite)
