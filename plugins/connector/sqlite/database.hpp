/// SQLite (https://www.sqlite.org/c3ref/intro.html) as C++: a connection, statements, errors that
/// name the file. One thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include <stoq/bytes.hpp>

namespace sqlite_connector {

class Database;

/// A prepared statement, used again and again.
class Statement {
 public:
  Statement(Database& database, const char* sql);

  /// Parameter `number`, from 1. The text or bytes must live until the statement is reset.
  void bind(int number, std::string_view text);
  void bind(int number, stoq::ByteView bytes);
  void bind(int number, std::int64_t value);
  void bind_zeros(int number, std::uint64_t size);
  /// Runs to the next row; false at the end. Throws IoError.
  bool step();
  [[nodiscard]] std::int64_t integer(int column) const;
  /// Ready to run again.
  void reset() noexcept;

 private:
  void check(int code);
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
  };
  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// Resets a statement when its use ends, however it ends: it lets go of what was bound to it.
class Use {
 public:
  explicit Use(Statement& statement) noexcept : statement_(statement) {}
  ~Use() { statement_.reset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  Statement* operator->() const noexcept { return &statement_; }

 private:
  Statement& statement_;
};

class Database {
 public:
  enum class Mode : std::uint8_t { read, write };
  /// Opens, for writing also creates, a file that is stoq's. `wait`: for others that write to it.
  /// Throws IoError: not there, no database, another program's, read-only, locked.
  Database(const std::string& path, Mode mode, std::chrono::milliseconds wait, bool sync);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() = default;

  void run(const char* sql);
  /// Throws IoError with the file, what was tried, and SQLite's reason in words.
  [[noreturn]] void fail(const std::string& what, int code) const;
  [[nodiscard]] sqlite3* get() const noexcept { return connection_.get(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Largest blob or text, in bytes (https://www.sqlite.org/limits.html).
  [[nodiscard]] std::uint64_t most_bytes() const noexcept;

 private:
  void set_up(bool sync);
  [[nodiscard]] std::int64_t pragma(const char* sql);

  struct Close {
    void operator()(sqlite3* connection) const noexcept { sqlite3_close_v2(connection); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
};

}  // namespace sqlite_connector
